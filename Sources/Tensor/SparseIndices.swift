/// Row-major indices of single elements in a tensor of some shape, ascending and unique.
public struct SparseIndices: Sendable, Hashable {
  /// The shape of the tensor.
  public let shape: Shape
  /// The ascending row-major indices.
  public let places: [Int32]

  /// Indices in a tensor; traps unless they are ascending and within it.
  public init(_ places: [Int32], in shape: Shape) {
    require(
      Self.areValid(places, in: shape), "SparseIndices: expected ascending indices below \(shape.count), found others")
    (self.shape, self.places) = (shape, places)
  }

  /// Returns whether integers are ascending indices of a tensor, to validate those of a file before use.
  public static func areValid(_ places: [Int32], in shape: Shape) -> Bool {
    guard let first = places.first, let last = places.last else { return true }
    return first >= 0 && Int(last) < shape.count && zip(places, places.dropFirst()).allSatisfy { $0 < $1 }
  }

  /// The number of indices.
  public var count: Int { places.count }
}
