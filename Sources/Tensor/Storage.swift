import Synchronization

/// The memory of tensors: a block aligned to cache lines, recycled when the last tensor over it is gone.
///
/// A training step asks for the same sizes again and again. Blocks from 64 KiB up go back to a pool of free blocks
/// instead of the system, which would have to clear the same pages at every step; smaller ones are left to `malloc`.
public final class Storage: @unchecked Sendable {
  /// The first number; `count` follow.
  @usableFromInline let base: UnsafeMutablePointer<Real>
  private let bytes: Int

  /// Memory for `count` numbers, not initialised.
  init(count: Int) {
    let wanted = max(1, count) * MemoryLayout<Real>.stride
    bytes = BlockPool.rounded(wanted)
    base = BlockPool.take(bytes).bindMemory(to: Real.self, capacity: max(1, count))
    if Poison.isOn { base.update(repeating: .nan, count: max(1, count)) }
  }

  deinit { BlockPool.give(UnsafeMutableRawPointer(base), bytes) }
}

/// Calls `body` with memory for `count` numbers, not initialised, which is recycled afterwards.
func withScratch<Result>(_ count: Int, _ body: (UnsafeMutablePointer<Real>) throws -> Result) rethrows -> Result {
  let storage = Storage(count: count)
  return try withExtendedLifetime(storage) { try body(storage.base) }
}

/// What tests fill memory with before it is handed out, fresh or recycled: a number that is read before it was written
/// then shows in the result.
package enum Poison {
  private static let users = Atomic<Int>(0)

  static var isOn: Bool { users.load(ordering: .relaxed) > 0 }

  /// Calls `body` while every block of memory is handed out full of NaN, to other threads too.
  package static func fillingMemory<Result>(_ body: () throws -> Result) rethrows -> Result {
    users.add(1, ordering: .relaxed)
    defer { users.subtract(1, ordering: .relaxed) }
    return try body()
  }
}

/// Free blocks of memory, by size.
enum BlockPool {
  private static let smallest = 64 << 10
  private static let alignment = 64

  private struct FreeBlocks: @unchecked Sendable { var bySize: [Int: [UnsafeMutableRawPointer]] = [:] }
  private static let free = Mutex(FreeBlocks())

  /// Sizes that are pooled are rounded up to eighths of a power of two, so that near sizes can share a block.
  static func rounded(_ bytes: Int) -> Int {
    guard bytes >= smallest else { return bytes }
    let step = (1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)) >> 3
    return (bytes + step - 1) / step * step
  }

  static func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    if bytes >= smallest {
      let block = free.withLock { Block(pointer: $0.bySize[bytes]?.popLast()) }
      if let pointer = block.pointer { return pointer }
    }
    return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: alignment)
  }

  static func give(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    guard bytes >= smallest else { return block.deallocate() }
    let block = Block(pointer: block)
    free.withLock { free in
      if let pointer = block.pointer { free.bySize[bytes, default: []].append(pointer) }
    }
  }

  /// A block on its way into or out of the pool; it has one owner at a time.
  private struct Block: @unchecked Sendable { let pointer: UnsafeMutableRawPointer? }
}
