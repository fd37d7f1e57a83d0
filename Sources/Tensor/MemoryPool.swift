import Foundation
import Synchronization

/// Memory for large blocks, which is recycled instead of being returned.
///
/// A training step requests the same sizes again and again, and the system would have to clear the same pages each
/// time. Blocks are cut from slabs of many megabytes; a returned block is coalesced with its free neighbours, so that
/// what held the activations of the forward pass can hold gradients of other sizes later in the step. A request gets
/// the smallest free span that fits, the first of several.
final class MemoryPool: Sendable {
  /// The pool of all tensors.
  static let shared = MemoryPool(slab: 32 << 20)

  /// Blocks start at multiples of this, and their sizes are rounded up to it.
  static let granule = 4 << 10

  private struct Span {
    var start: UnsafeMutableRawPointer
    var bytes: Int
    var end: UnsafeMutableRawPointer { start + bytes }
  }

  private struct State: @unchecked Sendable {
    /// Free memory, by address; no two spans touch.
    var free: [Span] = []
    var slabs: [UnsafeMutableRawPointer] = []
    var reserved = 0
    var live = 0
    var peak = 0
  }

  /// The smallest request to the system.
  private let slab: Int
  private let state = Mutex(State())

  init(slab: Int) { self.slab = slab }

  deinit { state.withLock { state in for slab in state.slabs { slab.deallocate() } } }

  /// The bytes requested from the system.
  var reserved: Int { state.withLock { $0.reserved } }

  /// The bytes in use, and the most at a time since `resetPeak`.
  var live: Int { state.withLock { $0.live } }
  var peak: Int { state.withLock { $0.peak } }

  /// Forgets the peak.
  func resetPeak() { state.withLock { $0.peak = $0.live } }

  /// The size of a block for the given number of bytes.
  static func rounded(_ bytes: Int) -> Int { (bytes + granule - 1) / granule * granule }

  /// A block of `bytes`, a rounded size, not initialised.
  func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    state.withLock { state in
      state.live += bytes
      state.peak = max(state.peak, state.live)
      var best: Int?
      for (index, span) in state.free.enumerated() where span.bytes >= bytes {
        if best.map({ span.bytes < state.free[$0].bytes }) ?? true { best = index }
      }
      let index = best ?? addSlab(atLeast: bytes, &state)
      let start = state.free[index].start
      if state.free[index].bytes == bytes {
        state.free.remove(at: index)
      } else {
        state.free[index] = Span(start: start + bytes, bytes: state.free[index].bytes - bytes)
      }
      return Block(pointer: start)
    }.pointer
  }

  /// Returns the pages of free memory to the system, which gives them again when they are used.
  func trim() {
    state.withLock { state in
      #if os(Linux)
        let page = Int(getpagesize())
        for span in state.free where span.bytes >= 2 << 20 {
          let start = (Int(bitPattern: span.start) + page - 1) / page * page
          let count = Int(bitPattern: span.end) / page * page - start
          // Advice only: what is refused stays.
          _ = madvise(UnsafeMutableRawPointer(bitPattern: start), count, Int32(MADV_DONTNEED))
        }
      #endif
    }
  }

  /// Takes back a block of `bytes` that `take` gave.
  func give(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    let block = Block(pointer: block)
    state.withLock { state in
      state.live -= bytes
      _ = insert(Span(start: block.pointer, bytes: bytes), &state)
    }
  }

  /// A block being passed into or out of the lock; it has one owner at a time.
  private struct Block: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }

  /// Adds a free span; returns its index, or that of the one it joined.
  private func insert(_ span: Span, _ state: inout State) -> Int {
    var (low, high) = (0, state.free.count)
    while low < high {
      let middle = (low + high) / 2
      if state.free[middle].start < span.start { low = middle + 1 } else { high = middle }
    }
    let joinsNext = low < state.free.count && span.end == state.free[low].start
    if low > 0, state.free[low - 1].end == span.start {
      state.free[low - 1].bytes += span.bytes + (joinsNext ? state.free[low].bytes : 0)
      if joinsNext { state.free.remove(at: low) }
      return low - 1
    }
    if joinsNext {
      state.free[low] = Span(start: span.start, bytes: span.bytes + state.free[low].bytes)
    } else {
      state.free.insert(span, at: low)
    }
    return low
  }

  /// Memory from the system, with huge pages where it grants them: fewer faults, fewer misses of the translation cache.
  private func addSlab(atLeast bytes: Int, _ state: inout State) -> Int {
    let hugePage = 2 << 20
    let size = (max(bytes, slab) + hugePage - 1) / hugePage * hugePage
    let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: hugePage)
    #if os(Linux)
      // Advice only: if it is refused, ordinary pages are used.
      _ = madvise(start, size, Int32(MADV_HUGEPAGE))
    #endif
    state.slabs.append(start)
    state.reserved += size
    return insert(Span(start: start, bytes: size), &state)
  }
}
