/// Places of single numbers in a tensor of some shape: in row-major order, each once.
public struct SparseIndices: Sendable, Hashable {
  /// The shape of the tensor.
  public let shape: Shape
  /// The places in its row-major order, rising.
  public let places: [Int32]

  /// Places in a tensor; traps unless they rise and lie within it.
  public init(_ places: [Int32], in shape: Shape) {
    require(
      Self.areValid(places, in: shape), "SparseIndices: expected rising places below \(shape.count), found others")
    (self.shape, self.places) = (shape, places)
  }

  /// Whether numbers are rising places in a tensor: what a file must be asked before its numbers are used.
  public static func areValid(_ places: [Int32], in shape: Shape) -> Bool {
    guard let first = places.first, let last = places.last else { return true }
    return first >= 0 && Int(last) < shape.count && zip(places, places.dropFirst()).allSatisfy { $0 < $1 }
  }

  /// How many places there are.
  public var count: Int { places.count }
}
