import Testing

@testable import Methods

@Suite struct RandomAllocationTests {
  private static let kinds: [SensitivitySite.Kind] =
    (0..<12).map { $0 % 3 == 2 ? .vector(40) : .matrix(out: 10 + $0, in: 20) }

  private static func allocation(_ budget: Int, seed: UInt64) -> Allocation {
    var rules = Allocation.Rules(form: .lora)
    rules.rank = 2
    return .random(budget, kinds: kinds, classToken: 16, rules, seed: seed)
  }

  private static func cost(_ index: Int) -> Int { 2 * (10 + index + 20) }

  @Test(arguments: [16, 80, 200, 300, 1000]) func budgetsAreFilledAndNotExceeded(budget: Int) {
    for seed in 0..<20 {
      let found = Self.allocation(budget, seed: UInt64(seed))
      #expect(found.total == 16 + found.modules.reduce(0) { $0 + Self.cost($1) })
      #expect(found.total <= budget && found.vectors.isEmpty && found.unstructured == 0)
      #expect(found.modules == found.modules.sorted() && found.modules.allSatisfy { $0 % 3 != 2 })
      // No matrix that was passed over would have fitted.
      for index in Self.kinds.indices where index % 3 != 2 && !found.modules.contains(index) {
        #expect(Self.cost(index) > budget - found.total)
      }
    }
  }

  @Test func matricesAreDrawnAboutEquallyOften() {
    // Room for one module of eight that cost nearly the same.
    var counts = [Int](repeating: 0, count: Self.kinds.count)
    for seed in 0..<800 { for index in Self.allocation(16 + 90, seed: UInt64(seed)).modules { counts[index] += 1 } }
    #expect(counts.enumerated().allSatisfy { ($0 % 3 == 2) == ($1 == 0) })
    // Of 100 expected, five standard deviations of 9.4.
    #expect(counts.filter { $0 > 0 }.allSatisfy { abs($0 - 100) < 47 })
  }

  @Test func aSeedIsOneAllocation() {
    #expect(Self.allocation(300, seed: 5) == Self.allocation(300, seed: 5))
    #expect(Set((0..<20).map { Self.allocation(300, seed: $0).modules }).count > 10)
  }
}
