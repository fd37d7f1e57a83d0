import Checks
import Foundation
import Testing

@testable import Tensor

@Suite struct MemoryPoolTests {
  /// What is held keeps its bytes, and what is free can be used again.
  @Test func freePagesAreReturnedAndComeBack() {
    let (pool, bytes) = (MemoryPool(slab: 32 << 20), 8 << 20)
    let (held, free) = (pool.take(bytes), pool.take(bytes))
    memset(held, 7, bytes)
    memset(free, 9, bytes)
    pool.give(free, bytes)
    pool.trim()
    let again = pool.take(bytes)
    #if os(Linux)
      #expect(again == free && again.load(fromByteOffset: bytes / 2, as: UInt8.self) == 0)
    #endif
    memset(again, 5, bytes)
    for offset in stride(from: 0, to: bytes, by: 1000) {
      #expect(held.load(fromByteOffset: offset, as: UInt8.self) == 7)
    }
    #expect(pool.live == 2 * bytes && pool.reserved == 32 << 20)
    pool.give(held, bytes)
    pool.give(again, bytes)
    pool.trim()
  }

  private static let granule = MemoryPool.granule

  @Test func sizesAreRoundedUp() {
    #expect(MemoryPool.rounded(1) == Self.granule)
    #expect(MemoryPool.rounded(Self.granule) == Self.granule)
    #expect(MemoryPool.rounded(Self.granule + 1) == 2 * Self.granule)
  }

  /// Every block is written full of a number of its own and must still hold it when it is given back.
  @Test(arguments: 1...5 as ClosedRange<UInt64>) func blocksNeverOverlap(_ seed: UInt64) {
    var numbers = CheckNumbers(seed: seed)
    let pool = MemoryPool(slab: 2 << 20)
    var blocks: [(start: UnsafeMutableRawPointer, bytes: Int, tag: UInt8)] = []
    func giveBack(_ index: Int) {
      let block = blocks.remove(at: index)
      let bytes = UnsafeRawBufferPointer(start: block.start, count: block.bytes)
      #expect(bytes.allSatisfy { $0 == block.tag })
      pool.give(block.start, block.bytes)
    }
    for round in 0..<400 {
      if blocks.isEmpty || Bool.random(using: &numbers) {
        let bytes = MemoryPool.rounded(Int.random(in: 1...40 * Self.granule, using: &numbers))
        let start = pool.take(bytes)
        #expect(UInt(bitPattern: start) % 64 == 0)
        let tag = UInt8(truncatingIfNeeded: round)
        start.initializeMemory(as: UInt8.self, repeating: tag, count: bytes)
        blocks.append((start, bytes, tag))
      } else {
        giveBack(Int.random(in: blocks.indices, using: &numbers))
      }
    }
    while let last = blocks.indices.last { giveBack(last) }
    // All is free again and has joined: the largest slab can be had in one piece.
    let reserved = pool.reserved
    let whole = pool.take(2 << 20)
    #expect(pool.reserved == reserved)
    pool.give(whole, 2 << 20)
  }

  /// Two neighbours that come back in either order, and one that closes a gap, become one span.
  @Test(arguments: [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1]])
  func freeNeighboursJoin(_ order: [Int]) {
    let pool = MemoryPool(slab: 2 << 20)
    let third = MemoryPool.rounded((2 << 20) / 3)
    let sizes = [third, third, (2 << 20) - 2 * third]
    let blocks = sizes.map { pool.take($0) }
    #expect(pool.reserved == 2 << 20)
    for index in order { pool.give(blocks[index], sizes[index]) }
    #expect(pool.take(2 << 20) == blocks[0])
    #expect(pool.reserved == 2 << 20)
  }

  @Test func theSmallestSpanThatFitsIsTaken() {
    let pool = MemoryPool(slab: 2 << 20)
    let (small, large) = (3 * Self.granule, 9 * Self.granule)
    let wide = pool.take(large)
    let wall = pool.take(Self.granule)
    let narrow = pool.take(small)
    let other = pool.take(Self.granule)
    pool.give(wide, large)
    pool.give(narrow, small)
    #expect(pool.take(small) == narrow)
    #expect(pool.take(2 * Self.granule) == wide)
    _ = (wall, other)
  }

  @Test func aRequestLargerThanASlabGetsOneOfItsOwn() {
    let pool = MemoryPool(slab: 2 << 20)
    let bytes = MemoryPool.rounded(5_000_000)
    let block = pool.take(bytes)
    #expect(pool.reserved == 6 << 20)
    pool.give(block, bytes)
  }
}
