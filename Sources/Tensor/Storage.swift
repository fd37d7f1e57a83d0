import Synchronization

/// The memory of tensors: a block aligned to cache lines, recycled when its last tensor is released.
///
/// Blocks from 64 KiB up come from the pool of the process; smaller ones are left to `malloc`. Memory of others, such
/// as that of a mapped file, is only read, and has the alignment of one element.
package final class Storage: @unchecked Sendable {
  /// The first of `count` elements.
  @usableFromInline let base: UnsafeMutablePointer<Real>
  /// The size of the block in the pool; `nil` for one from elsewhere.
  private let pooledBytes: Int?
  /// What keeps memory of others alive; `nil` for a block of this object's own.
  private let owner: AnyObject?

  private static let smallestPooled = 64 << 10
  private static let alignment = 64

  /// Memory for `count` elements, not initialised.
  init(count: Int) {
    let bytes = max(1, count) * MemoryLayout<Real>.stride
    owner = nil
    pooledBytes = bytes >= Self.smallestPooled ? MemoryPool.rounded(bytes) : nil
    let block =
      pooledBytes.map { MemoryPool.shared.take($0) }
      ?? UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
    base = block.bindMemory(to: Real.self, capacity: max(1, count))
    if Poison.isOn { base.update(repeating: .nan, count: max(1, count)) }
  }

  /// Memory that an object owns and nobody changes.
  init(_ base: UnsafePointer<Real>, ownedBy owner: AnyObject) {
    self.base = UnsafeMutablePointer(mutating: base)
    (self.owner, pooledBytes) = (owner, nil)
  }

  /// True for memory of others.
  var isBorrowed: Bool { owner != nil }

  deinit {
    if isBorrowed { return }
    if let pooledBytes { MemoryPool.shared.give(base, pooledBytes) } else { base.deallocate() }
  }
}

/// Calls `body` with memory for `count` elements, not initialised, which is recycled afterwards.
func withScratch<Result>(_ count: Int, _ body: (UnsafeMutablePointer<Real>) throws -> Result) rethrows -> Result {
  let storage = Storage(count: count)
  return try withExtendedLifetime(storage) { try body(storage.base) }
}

/// The value with which tests fill memory before it is allocated, fresh or recycled: an element that is read before it
/// is written then shows in the result.
package enum Poison {
  private static let users = Atomic<Int>(0)

  static var isOn: Bool { users.load(ordering: .relaxed) > 0 }

  /// Calls `body` while every block of memory is allocated full of NaN, for other threads too.
  package static func fillingMemory<Result>(_ body: () throws -> Result) rethrows -> Result {
    users.add(1, ordering: .relaxed)
    defer { users.subtract(1, ordering: .relaxed) }
    return try body()
  }
}
