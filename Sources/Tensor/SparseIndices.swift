/// Row-major indices of single elements in a tensor of some shape, ascending and unique.
public struct SparseIndices: Sendable, Hashable {
  /// The shape of the tensor.
  public let shape: Shape
  /// The ascending row-major indices.
  public let positions: [Int32]

  /// Indices in a tensor; traps unless they are ascending and within it.
  public init(_ positions: [Int32], in shape: Shape) {
    require(
      Self.areValid(positions, in: shape),
      "SparseIndices: expected ascending indices below \(shape.count), found others")
    (self.shape, self.positions) = (shape, positions)
  }

  /// Returns whether integers are ascending indices of a tensor, to validate those of a file before use.
  package static func areValid(_ positions: [Int32], in shape: Shape) -> Bool {
    guard let first = positions.first, let last = positions.last else { return true }
    return first >= 0 && Int(last) < shape.count && zip(positions, positions.dropFirst()).allSatisfy { $0 < $1 }
  }

  /// The number of indices.
  public var count: Int { positions.count }
}
