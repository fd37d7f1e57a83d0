import Testing

@testable import frugal

@Suite struct ProgressLineTests {
  @Test func theBarShowsTheFraction() {
    for (fraction, bar) in [
      (0, "[----------------] "), (0.5, "[########--------] "), (0.999, "[###############-] "),
      (1, "[################] "),
      (7, "[################] "), (-1, "[----------------] "),
    ] {
      #expect(ProgressLine.fitted("epoch 1", fraction: fraction, columns: 80) == bar + "epoch 1")
    }
    for fraction in [nil, Double.nan] {
      #expect(ProgressLine.fitted("epoch 1", fraction: fraction, columns: 80) == "epoch 1")
    }
  }

  @Test(arguments: [0, 1, 10, 60, 61, 80, 200]) func aLineNeverWraps(_ columns: Int) {
    let long = String(repeating: "é", count: 300)
    #expect(ProgressLine.fitted(long, fraction: 0.5, columns: columns).count == max(0, columns - 1))
    #expect(
      ProgressLine.fitted("a", fraction: 0.5, columns: columns).count
        == (columns == 0 || columns == 1 ? 0 : columns > 60 ? 20 : 1))
  }

  /// What a run shows has the time left on 80 columns, and what a narrower terminal leaves out is at the end.
  @Test func theTimeLeftIsShownOn80Columns() {
    let text = "epoch 100/100  12:15:00 left  loss 0.1234  accuracy 100.00 %  step 1600/1600  123.4 images/s"
    let line = ProgressLine.fitted(text, fraction: 0.5, columns: 80)
    #expect(line == "[########--------] epoch 100/100  12:15:00 left  loss 0.1234  accuracy 100.00 %")
    #expect(ProgressLine.fitted(text, fraction: 0.5, columns: 40) == "epoch 100/100  12:15:00 left")
    #expect(ProgressLine.fitted(text, fraction: 0.5, columns: 8) == "epoch 1")
  }

  /// A log is no terminal: whole lines, and none that goes back to its beginning.
  @Test func aLogHasPlainLines() async throws {
    let outcome = try await runFrugal("evaluate", "--model", Workbench.model, "--data", Workbench.pictures)
    #expect(outcome.code == 0 && !outcome.errors.contains("\r") && !outcome.errors.contains("\u{1b}"))
  }

  @Test func durationsAreReadAsAClock() {
    #expect(ProgressLine.duration(75) == "1:15" && ProgressLine.duration(3661) == "1:01:01")
    #expect(ProgressLine.duration(0.4) == "0:00" && ProgressLine.duration(.infinity) == "?")
  }
}
