import Testing

@testable import frugal

@Suite struct StatisticTests {
  /// Deviations from 5 are −3, −1, −1, −1, 0, 0, 2, 4: their squares add up to 32.
  @Test func theDeviationIsThatOfASample() {
    let found = Statistic([2, 4, 4, 4, 5, 5, 7, 9])
    #expect(found.mean == 5 && found.count == 8)
    #expect(found.deviation == (32.0 / 7).squareRoot())
    #expect(found.text() == "5.0 ± 2.1" && found.text(decimals: 0) == "5 ± 2")
  }

  @Test func oneNumberHasNoDeviation() {
    #expect(Statistic([3]).text() == "3.0" && Statistic([3]).deviation == nil)
    #expect(Statistic([]).mean == 0 && Statistic([]).count == 0)
    #expect(Statistic([1, 1]).text() == "1.0 ± 0.0")
  }

  @Test func whatRoundsToZeroHasNoSign() {
    #expect([-0.0, -0.04, 0.04, -0.06].map(tenths) == ["0.0", "0.0", "0.0", "-0.1"])
  }
}
