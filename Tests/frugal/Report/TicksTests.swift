import Testing

@testable import frugal

@Suite struct TicksTests {
  @Test(
    arguments: [
      (0, 85.67, [0, 20, 40, 60, 80, 100]), (0, 25.38, [0, 10, 20, 30]), (0, 100, [0, 20, 40, 60, 80, 100]),
      (0, 50, [0, 10, 20, 30, 40, 50]), (0, 7, [0, 2, 4, 6, 8]), (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 0, [0, 0.01]),
      (40.62, 96.88, [40, 60, 80, 100]), (1, 40, [0, 10, 20, 30, 40]), (-3, 4, [-4, -2, 0, 2, 4]),
      (30, 30, [30, 30.01]),
      (0, 123_456, [0, 50_000, 100_000, 150_000]),
    ] as [(Double, Double, [Double])])
  func theyAreRoundAndCoverEverything(_ low: Double, _ high: Double, _ expected: [Double]) {
    let ticks = Ticks.covering(low, high)
    #expect(ticks.count == expected.count, "\(ticks)")
    for (tick, number) in zip(ticks, expected) { #expect(abs(tick - number) < 1e-9, "\(ticks)") }
  }

  @Test func anyTwoNumbersAreCoveredByAFewTicks() {
    var number = 1e-7
    while number < 1e13 {
      for low in [0, -number, number / 3, 0.999 * number, number] {
        let ticks = Ticks.covering(low, number, finest: 1e-12)
        #expect((2...7).contains(ticks.count), "\(low) to \(number): \(ticks)")
        let room = 1e-6 * number
        #expect(ticks[0] <= low + room && ticks[ticks.count - 1] >= number - room, "\(low) to \(number): \(ticks)")
      }
      number *= 1.37
    }
  }

  @Test func smallNumbersCanHaveFinerTicks() {
    let ticks = Ticks.covering(0.001, 0.0032, finest: 1e-9)
    #expect(ticks.count == 6 && abs(ticks[1] - 0.0015) < 1e-12, "\(ticks)")
    #expect(Ticks.text(0.0015) == "0.0015" && Ticks.text(150_000) == "150,000" && Ticks.text(0) == "0")
  }
}
