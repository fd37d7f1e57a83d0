/// A dense array of `Real` in row-major order, with value semantics: copies share memory until one is changed.
public struct Tensor: Sendable {
  /// The extents, outermost first.
  public let shape: Shape
  private var storage: Storage

  private init(shape: Shape, storage: Storage) {
    self.shape = shape
    self.storage = storage
  }

  /// A tensor filled by `body`, which receives uninitialised memory for `shape.count` elements and writes every one.
  public init(_ shape: Shape, filledBy body: (UnsafeMutablePointer<Real>) throws -> Void) rethrows {
    self.init(shape: shape, storage: Storage(count: shape.count))
    try withExtendedLifetime(storage) { try body(storage.base) }
  }

  /// A tensor filled with one value.
  public init(_ shape: Shape, repeating value: Real) {
    self.init(shape) { $0.update(repeating: value, count: shape.count) }
  }

  /// A tensor of the given values in row-major order; traps unless there are `shape.count` of them.
  public init(_ shape: Shape, _ values: [Real]) {
    require(
      values.count == shape.count, "Tensor: expected \(shape.count) values for shape \(shape), found \(values.count)")
    self.init(shape) { base in
      values.withUnsafeBufferPointer { if let from = $0.baseAddress { base.update(from: from, count: $0.count) } }
    }
  }

  /// A tensor whose elements stay where they lie, in memory that `owner` keeps and nobody changes; it is copied when
  /// the tensor is written to.
  package init(_ shape: Shape, at base: UnsafePointer<Real>, ownedBy owner: AnyObject) {
    self.init(shape: shape, storage: Storage(base, ownedBy: owner))
  }

  /// A scalar.
  public init(_ value: Real) { self.init([], repeating: value) }

  /// A tensor of zeros.
  public static func zeros(_ shape: Shape) -> Tensor { Tensor(shape, repeating: 0) }

  /// The number of elements.
  public var count: Int { shape.count }

  /// The elements in row-major order.
  public var values: [Real] {
    Tensor.read(self) { Array(UnsafeBufferPointer(start: $0, count: count)) }
  }

  /// The one element; traps unless there is exactly one.
  public var scalar: Real {
    require(count == 1, "Tensor.scalar: expected one element, found shape \(shape)")
    return Tensor.read(self) { $0[0] }
  }

  /// The same elements, in the same order and memory, seen in another shape; traps unless the counts agree.
  public func reshaped(to shape: Shape) -> Tensor {
    require(shape.count == count, "Tensor.reshaped: expected \(count) elements, found shape \(shape)")
    return Tensor(shape: shape, storage: storage)
  }

  /// Returns whether two tensors share memory.
  func sharesMemory(with other: Tensor) -> Bool { storage === other.storage }

  /// A copy with its own memory.
  public func copied() -> Tensor {
    Tensor.read(self) { from in Tensor(shape) { $0.update(from: from, count: count) } }
  }

  /// Calls `body` with the elements for reading and writing, after making sure that no other tensor shares them.
  public mutating func write<Result>(_ body: (UnsafeMutablePointer<Real>) throws -> Result) rethrows -> Result {
    if storage.isBorrowed || !isKnownUniquelyReferenced(&storage) { self = copied() }
    return try withExtendedLifetime(storage) { try body(storage.base) }
  }

  /// Calls `body` with the elements of a tensor; the pointer must not outlive the call.
  public static func read<Result>(
    _ a: Tensor, _ body: (UnsafePointer<Real>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(a.storage) { try body(UnsafePointer(a.storage.base)) }
  }

  /// Calls `body` with the elements of two tensors; the pointers must not outlive the call.
  public static func read<Result>(
    _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Real>, UnsafePointer<Real>) throws -> Result
  ) rethrows -> Result {
    try read(a) { a in try read(b) { b in try body(a, b) } }
  }

  /// Calls `body` with the elements of three tensors; the pointers must not outlive the call.
  public static func read<Result>(
    _ a: Tensor, _ b: Tensor, _ c: Tensor,
    _ body: (UnsafePointer<Real>, UnsafePointer<Real>, UnsafePointer<Real>) throws -> Result
  ) rethrows -> Result {
    try read(a, b) { a, b in try read(c) { c in try body(a, b, c) } }
  }

  /// Calls `body` with the elements of four tensors; the pointers must not outlive the call.
  public static func read<Result>(
    _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor,
    _ body: (UnsafePointer<Real>, UnsafePointer<Real>, UnsafePointer<Real>, UnsafePointer<Real>) throws -> Result
  ) rethrows -> Result {
    try read(a, b) { a, b in try read(c, d) { c, d in try body(a, b, c, d) } }
  }
}

extension Tensor: Equatable {
  /// The same shape and the same values (so that a tensor with a NaN is not equal to itself).
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape && read(a, b) { x, y in (0..<a.count).allSatisfy { x[$0] == y[$0] } }
  }
}
