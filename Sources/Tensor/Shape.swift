/// The extents of a tensor, outermost first; a scalar has none.
public struct Shape: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
  /// The extents, outermost first.
  public let extents: [Int]

  /// A shape of the given extents; traps on a negative one.
  public init(_ extents: [Int]) {
    require(extents.allSatisfy { $0 >= 0 }, "Shape: expected extents of 0 or more, found \(extents)")
    self.extents = extents
  }

  /// `[batch, tokens, width]`.
  public init(arrayLiteral extents: Int...) { self.init(extents) }

  /// The number of extents.
  public var rank: Int { extents.count }

  /// The number of elements: the product of the extents, 1 for a scalar.
  public var count: Int { extents.reduce(1, *) }

  /// The innermost extent; 1 for a scalar.
  public var width: Int { extents.last ?? 1 }

  /// The product of all extents but the innermost; 1 for a scalar.
  public var rows: Int { extents.dropLast().reduce(1, *) }

  /// The extent of one dimension; negative indices count from the innermost, −1.
  public subscript(_ dimension: Int) -> Int { extents[dimension < 0 ? dimension + rank : dimension] }

  /// The same outer extents with a different innermost one.
  public func replacingWidth(by width: Int) -> Shape { Shape(extents.dropLast() + [width]) }

  /// `[2, 3]`
  public var description: String { "[\(extents.map(String.init).joined(separator: ", "))]" }
}
