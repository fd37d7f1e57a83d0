import Testing

@testable import Checks
@testable import Tensor

@Suite struct PoisonTests {
  /// What memory holds when it is handed out.
  private func untouched(_ count: Int) -> [Real] {
    withScratch(count) { Array(UnsafeBufferPointer(start: $0, count: count)) }
  }

  @Test(arguments: [0, 1, 17, 1000, 16_384, 70_001]) func freshAndRecycledMemoryIsFullOfNaN(_ count: Int) {
    Poison.fillingMemory {
      // The second block of a size is the first one again where blocks are pooled.
      for _ in 0..<2 {
        #expect(untouched(count).allSatisfy { $0.isNaN })
        _ = Tensor.zeros([count])
      }
    }
  }
}
