import Testing

@testable import frugal

@Suite struct SensitivityChartTests {
  @Test(
    arguments: [
      (85.67, [0, 20, 40, 60, 80, 100]), (25.38, [0, 10, 20, 30]), (100, [0, 20, 40, 60, 80, 100]),
      (50, [0, 10, 20, 30, 40, 50]),
      (7, [0, 2, 4, 6, 8]), (1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, [0, 0.01]),
    ] as [(Double, [Double])])
  func axesHaveRoundNumbersUpToTheLargest(_ largest: Double, _ expected: [Double]) {
    let ticks = SensitivityChart.ticks(upTo: largest)
    #expect(ticks.count == expected.count)
    for (tick, number) in zip(ticks, expected) { #expect(abs(tick - number) < 1e-12, "\(ticks)") }
  }
}
