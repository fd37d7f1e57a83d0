import Formats
import Tensor

/// Sizes by the shapes of a checkpoint's tensors.
struct ShapeReader<Source: TensorSource> {
  let source: Source

  func error(_ tensor: String, _ expected: String, _ found: String) -> ConfigurationError {
    ConfigurationError("\(source.label): tensor \"\(tensor)\": expected \(expected), found \(found)")
  }

  /// A shape whose extents are positive and small enough that products of two cannot overflow.
  func shape(_ name: String, rank: Int) throws(ConfigurationError) -> Shape {
    guard let shape = source.shape(of: name) else {
      throw error(name, "a tensor of \(rank) extents", "no such tensor")
    }
    guard shape.rank == rank, shape.extents.allSatisfy((1...(1 << 24)).contains) else {
      throw error(name, "\(rank) extents from 1 to \(1 << 24)", "\(shape)")
    }
    return shape
  }

  /// The number of different indices that follow `prefix` in the names of tensors.
  func count(_ prefix: String) -> Int {
    Set(
      source.names.filter { $0.hasPrefix(prefix) }.compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
    )
    .count
  }

  /// The height and width of a map whose pixels, and one more token, have positions.
  func side(_ positions: String) throws(ConfigurationError) -> Int {
    let tokens = try shape(positions, rank: 2)[0]
    let side = Int(Double(tokens - 1).squareRoot().rounded())
    guard side > 0, side * side + 1 == tokens else {
      throw error(positions, "positions of a square of pixels and one more token", "\(tokens)")
    }
    return side
  }
}
