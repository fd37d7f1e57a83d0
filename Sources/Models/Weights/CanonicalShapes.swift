import Formats
import Tensor

/// The sizes of a checkpoint by the shapes of its tensors, which are looked up by their canonical names: what an
/// architecture infers from them, it infers once for all layouts.
struct CanonicalShapes {
  let source: any TensorSource
  let layout: WeightLayout

  /// Returns whether there is a tensor of a canonical name.
  func has(_ name: String) -> Bool { layout.rule(for: name).map { source.shape(of: $0.name) != nil } ?? false }

  /// Returns whether there is no tensor of a canonical name, or one without elements.
  func isEmpty(_ name: String) -> Bool {
    layout.rule(for: name).flatMap { source.shape(of: $0.name) }.map { $0.count == 0 } ?? true
  }

  /// A shape whose extents are positive and small enough that products of two cannot overflow.
  func shape(_ name: String, rank: Int) throws(ConfigurationError) -> Shape {
    guard let rule = layout.rule(for: name), let stored = source.shape(of: rule.name) else {
      throw error(name, "a tensor from which the sizes are inferred", "none")
    }
    guard let shape = rule.form.canonicalShape(of: stored), shape.rank == rank,
      stored.extents.allSatisfy((1...(1 << 24)).contains)
    else {
      throw error(
        name, "\(rule.form.storedShape(of: Shape(Array(repeating: 1, count: rank))).rank) extents from 1 to \(1 << 24)",
        "\(stored)")
    }
    return shape
  }

  /// The number of blocks, indexed from 0: `{i}` in a canonical name is the index.
  func count(_ pattern: String) -> Int {
    var count = 0
    while has(pattern.replacing("{i}", with: "\(count)")) { count += 1 }
    return count
  }

  /// The stored name of a canonical one.
  func stored(_ name: String) -> String { layout.rule(for: name)?.name ?? name }

  /// The number of positions, and the side of the square of those after the first `prefix`; `nil` if they make
  /// none.
  func positions(_ name: String, _ prefix: Int) -> (count: Int, side: Int)? {
    guard let count = try? shape(name, rank: 2)[0], let side = Self.side(of: count - prefix) else { return nil }
    return (count, side)
  }

  /// The side of a square with the given number of cells, `nil` if there is none.
  static func side(of cells: Int) -> Int? {
    let side = Int(Double(max(0, cells)).squareRoot().rounded())
    return side > 0 && side * side == cells ? side : nil
  }

  /// An error that names the stored tensor.
  func error(_ name: String, _ expected: String, _ found: String) -> ConfigurationError {
    ConfigurationError("\(source.label): tensor \"\(stored(name))\": expected \(expected), found \(found)")
  }
}
