import Testing

@testable import frugal

@Suite struct UnequalTotalsTests {
  @Test func totalsWithinTwoPerCentAreCompared() throws {
    for pair in [(6144, 6144), (5000, 5100), (5100, 5000), (0, 0)] { try UnequalTotals.check(pair.0, pair.1) }
  }

  @Test func otherTotalsAreRefusedWithTheirDifference() {
    for (first, second, text) in [
      (6144, 5503, "not compared: totals 6,144 and 5,503 differ by 11.6 %"),
      (5000, 5101, "not compared: totals 5,000 and 5,101 differ by 2.0 %"),
      (6144, 0, "not compared: totals 6,144 and 0 differ"), (6144, nil, "not compared: totals are not recorded"),
    ] as [(Int?, Int?, String)] {
      let error = #expect(throws: UnequalTotals.self) { try UnequalTotals.check(first, second) }
      #expect(error?.description == text)
    }
  }
}
