import FrugalTestSupport
import Testing

@testable import Methods
@testable import frugal

/// Accuracy by class, confusions and calibration.
@Suite struct AnswersTests {
  private let bench: ReportBench

  init() throws { bench = try ReportBench() }

  private func line(_ label: Int, _ answer: Int, _ probability: Float = 0.95) -> Prediction {
    Prediction(
      picture: "test/\(label)/\(answer)-\(probability).png", label: label,
      tuned: .init(label: answer, probability: probability), zeroShot: .init(label: 0, probability: 0.5))
  }

  @Test func classesHaveTheirAccuracyAndTheirConfusions() throws {
    for seed in 1...2 {
      let run = RunFolder(try bench.run("s\(seed)", classes: ["cat", "dog", "none"], seed: seed))
      try run.writePredictions([line(0, 0), line(0, 1), line(0, 2), line(0, 0), line(1, 1)])
    }
    let rows = ParsedPage(try bench.html()).rows
    for row in [
      ["class", "accuracy (%)", "n", "most often taken for"], ["cat", "50.0", "8", "dog (2)"],
      ["dog", "100.0", "2", "–"],
      ["class", "1", "2", "3"], ["1 cat", "50.0", "25.0", "25.0"], ["2 dog", "0.0", "100.0", "0.0"],
      ["3 none", "", "", ""],
    ] {
      #expect(rows.contains(row), "\(row)")
    }
  }

  @Test func ofManyClassesTheMostFrequentConfusionsAreShown() throws {
    let run = RunFolder(try bench.run("r", classes: (0..<30).map { "c\($0)" }))
    try run.writePredictions((0..<5).map { line(7, 8, Float($0) / 10) } + [line(1, 2)])
    let rows = ParsedPage(try bench.html()).rows
    let start = try #require(rows.firstIndex(of: ["class", "taken for", "images"]))
    #expect(rows[(start + 1)...(start + 2)] == [["c7", "c8", "5"], ["c1", "c2", "1"]])
  }

  /// Two tenths: 2 images with 0.95, one of them right; 2 with 0.55, both right: (2 · 45 + 2 · 45) / 4.
  @Test func theErrorOfCalibrationIsThatOfItsTenths() {
    let found = Calibration(
      [(0.95, true), (0.95, false), (0.55, true), (0.55, true)].map { (confidence: $0.0, isRight: $0.1) })
    #expect(found.images == 4 && found.bins[9].images == 2 && found.bins[5].correct == 2)
    #expect(abs(found.error - 45) < 1e-9)
    let ends = Calibration([(confidence: 1.0, isRight: true), (confidence: 0, isRight: false)])
    #expect(ends.bins[9].images == 1 && ends.bins[0].images == 1 && ends.error == 0)
    #expect(Calibration([(confidence: Double, isRight: Bool)]()).error == 0)
  }

  @Test func blocksAreCountedFromOne() {
    for (part, words) in [
      ("blocks.0", "block 1"), ("stages.1.blocks.10", "stage 2, block 11"), ("outside of blocks", "outside of blocks"),
      ("patchEmbedding", "patchEmbedding"), ("a.b", "a.b"), ("", ""),
    ] {
      #expect(SiteShares.words(part) == words)
    }
  }

  @Test func aMapIsDarkestWhereItIsLargest() {
    let html = Page.map(
      "part", ["query", "key"], [(name: "block 1", values: [10, nil]), (name: "block 2", values: [0.031, 5])],
      caption: "c")
    #expect(html.contains("<td class=\"n h9\" data-n=\"10.0\">10.0</td><td></td>"))
    #expect(html.contains("<td class=\"n h0\" data-n=\"0.031\">0.031</td><td class=\"n h5\" data-n=\"5.0\">5.0</td>"))
    #expect(html.contains("<th scope=\"row\">block 1</th>") && html.contains("<caption>c</caption>"))
    #expect(ParsedPage(html).problem == nil)
  }
}
