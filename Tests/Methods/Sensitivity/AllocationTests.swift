import Tensor
import Testing

@testable import Methods

/// The choice among the allocations of a sweep.
///
/// SPT (e).
@Suite struct AllocationTests {
  /// Four entries by themselves, and τ that go beyond them.
  private func sweep(_ thresholds: [Int]) -> AllocationSweep {
    var rules = Allocation.Rules(form: .lora)
    rules.structure = .unstructuredOnly
    return AllocationSweep(
      Ranking(of: [Tensor([4], [4, 3, 2, 1])], largest: 4), thresholds: thresholds, kinds: [.vector(4)], classToken: 0,
      rules)
  }

  /// The released code scans upwards and replaces what is as near.
  @Test func ofEquallyNearAllocationsTheLastIsTaken() {
    #expect(sweep([1, 3]).nearest(to: 2, unit: 1)?.threshold == 3)
    #expect(sweep([2, 4, 5, 6]).nearest(to: 4, unit: 1)?.threshold == 6)
    #expect(sweep([1, 2, 3]).nearest(to: 2, unit: 1)?.threshold == 2)
  }

  @Test func totalsAreComparedInUnits() {
    #expect(sweep([1, 2, 3]).nearest(to: 0.02, unit: 100)?.total == 2)
    #expect(sweep([3, 4]).nearest(to: 1, unit: 1) == nil)
  }
}
