import Foundation
import FrugalTestSupport
import Methods
import Tensor
import Testing

/// R-AMT (l), SPT (m), TaskRes (f).
@Suite struct ScheduleTests {
  @Test func cosineBeginsAtTheBaseAndPassesItsHalf() {
    let schedule = Schedule(base: 0.4, period: 10)
    #expect(schedule.rate(at: 0) == 0.4)
    #expect(abs(schedule.rate(at: 5) - 0.2) < 1e-15)
    for epoch in 0..<10 { #expect(schedule.rate(at: epoch + 1) < schedule.rate(at: epoch)) }
    #expect(schedule.rate(at: 10) == 0)
    #expect(schedule.rate(at: 1000) == 0)
  }

  @Test func constantStays() {
    let schedule = Schedule(base: 0.3, period: 1, course: .constant, warmup: .constant(epochs: 2, rate: 1e-5))
    #expect((0..<5).map(schedule.rate) == [1e-5, 1e-5, 0.3, 0.3, 0.3])
  }

  @Test func recountedCosineStartsAtTheBaseAfterTheWarmup() {
    let warmup = Schedule.Warmup.constant(epochs: 3, rate: 1e-5)
    let (again, on) = (
      Schedule(base: 2e-3, period: 50, warmup: warmup),
      Schedule(base: 2e-3, period: 50, warmup: warmup, isRecounted: false)
    )
    let plain = Schedule(base: 2e-3, period: 50)
    for epoch in 0..<3 { #expect(again.rate(at: epoch) == 1e-5 && on.rate(at: epoch) == 1e-5) }
    for epoch in 3..<50 {
      #expect(again.rate(at: epoch) == plain.rate(at: epoch - 3))
      #expect(on.rate(at: epoch) == plain.rate(at: epoch))
    }
  }

  @Test func linearWarmupEndsAtTheBase() {
    let schedule = Schedule(base: 0.8, period: 20, warmup: .linear(epochs: 4, first: 1e-5))
    #expect((0..<5).map(schedule.rate) == [1e-5, 0.2, 0.4, 0.8 * 3 / 4, 0.8])
  }

  @Test func rampIsStraight() {
    let schedule = Schedule(base: 1, period: 20, warmup: .ramp(epochs: 4, start: 0.2))
    for (got, want) in zip((0..<5).map(schedule.rate), [0.2, 0.4, 0.6, 0.8, 1]) { #expect(abs(got - want) < 1e-15) }
  }

  @Test func minimumIsReachedAndKept() {
    let schedule = Schedule(base: 1, period: 4, minimum: 0.1)
    #expect(abs(schedule.rate(at: 2) - 0.55) < 1e-15)
    #expect(schedule.rate(at: 4) == 0.1)
  }

  @Test func lagRepeatsTheFirstEpoch() {
    let (plain, late) = (Schedule(base: 1, period: 9), Schedule(base: 1, period: 9, lag: 1))
    #expect((0..<9).map(late.rate) == [0, 0, 1, 2, 3, 4, 5, 6, 7].map(plain.rate))
  }

  @Test func periodOfZeroTraps() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Schedule(base: 1, period: 0)
    }
    expectTrap(process, saying: "Schedule: expected a period of 1 or more, warm-up and lag of 0 or more, found 0, 0, 0")
  }

  struct Golden: Sendable, CustomTestStringConvertible {
    var args: JSONValue
    var rates: [Double]
    var root: GoldenRoot
    var testDescription: String

    /// The entry of the index.
    var item: GoldenCase { get throws { try GoldenSet.optim.golden("schedules", in: root) } }
  }

  static var golden: [Golden] {
    GoldenRoot.all.flatMap { root in
      ((try? GoldenSet.optim.json("schedules.json", in: root))?.array ?? []).map {
        Golden(
          args: $0["args"], rates: $0["lr"].doubles ?? [], root: root,
          testDescription: "\($0["name"].string ?? "?") (\(root))")
      }
    }
  }

  private static func schedule(_ args: JSONValue, lag: Int = 0) throws -> Schedule {
    let warmup: Schedule.Warmup =
      if let epochs = args["warmup_t"].int {
        .ramp(epochs: epochs, start: try #require(args["warmup_lr_init"].double))
      } else {
        switch args["warmup"].string {
        case "constant":
          .constant(epochs: try #require(args["warmup_epochs"].int), rate: try #require(args["warmup_lr"].double))
        case "linear":
          .linear(epochs: try #require(args["warmup_epochs"].int), first: try #require(args["warmup_min_lr"].double))
        default: .none
        }
      }
    let period = try #require(args["epochs"].int)
    try #require(period > 0)
    return Schedule(
      base: try #require(args["base_lr"].double), period: period, warmup: warmup,
      isRecounted: args["recount"].bool ?? args["warmup_prefix"].bool ?? true, minimum: args["lr_min"].double ?? 0,
      lag: lag)
  }

  @Test(.golden(.optim)) func thereAreAsManySchedulesAsListed() throws {
    let root = GoldenRoot.ofTheTest
    #expect(
      try Self.golden.count { $0.root == root } == GoldenSet.optim.golden("schedules").args["count"].int)
  }

  @Test(.goldenCases(.optim), arguments: golden) func publishedRatesAreMet(_ golden: Golden) throws {
    let (schedule, item) = (try Self.schedule(golden.args), try golden.item)
    expectClose(golden.rates.indices.map(schedule.rate), golden.rates, rtol: item.rtol, atol: item.atol)
  }

  @Test(.goldenCases(.optim), arguments: golden) func steppingAfterTheEpochLagsByOne(_ golden: Golden) throws {
    let (schedule, item) = (try Self.schedule(golden.args, lag: 1), try golden.item)
    let want = [try #require(golden.rates.first)] + golden.rates.dropLast()
    expectClose(want.indices.map(schedule.rate), want, rtol: item.rtol, atol: item.atol)
  }
}
