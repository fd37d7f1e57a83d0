import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods
@testable import frugal

@Suite struct VerdictTests {
  private let bench: ReportBench

  init() throws { bench = try ReportBench() }

  /// Writes a run whose tuned model is right on these of 100 images; the frozen model is right on the first 25.
  private func run(
    _ method: String, right: Range<Int>, seed: Int = 1, shots: Int = 4, selection: RunConfiguration.Selection = .last
  ) throws {
    let folder = RunFolder(
      try bench.run(
        "\(method)-\(shots)-\(seed)", method: method, shots: shots, seed: seed, accuracy: Double(right.count),
        selection: selection))
    try folder.writePredictions(
      (0..<100).map { image in
        Prediction(
          picture: "test/a/\(image).png", label: 0,
          tuned: .init(label: right.contains(image) ? 0 : 1, probability: 0.75),
          zeroShot: .init(label: image < 25 ? 0 : 1, probability: 0.5))
      })
  }

  private func verdicts() throws -> [Verdict] {
    let file = bench.folder.url.appendingPathComponent("report.html")
    return try Report.write(runs: [bench.folder.url], to: file).verdicts
  }

  /// The verdict of the page from nothing but the lines of two files and a coin.
  @Test func theVerdictFollowsFromTheRawPredictions() throws {
    try run("r-amt", right: 10..<80)
    try run("task-res", right: 0..<60)
    func right(_ method: String) throws -> [String: Bool] {
      let text = String(decoding: try bench.folder.bytes("\(method)-4-1/predictions.jsonl"), as: UTF8.self)
      let lines = try text.split(separator: "\n").map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
      return Dictionary(
        uniqueKeysWithValues: lines.map { ($0["picture"].string ?? "", $0["tuned"]["label"].int == $0["label"].int) })
    }
    let (first, second) = (try right("r-amt"), try right("task-res"))
    let only = first.keys.filter { first[$0] == true && second[$0] == false }.count
    let other = first.keys.filter { first[$0] == false && second[$0] == true }.count
    #expect(only == 20 && other == 10)
    // P(X ≥ 20) of 30 tosses: 0.049 on one side, so equality is not refused at 5 % on both.
    var row = [1.0]
    for _ in 0..<30 { row = zip([0] + row, row + [0]).map { $0 + $1 } }
    let (tail, all): (Double, Double) = (row[20...].reduce(0, +), row.reduce(0, +))
    #expect(abs(tail / all - 0.0494) < 1e-4)
    let text = ParsedPage(try bench.html()).text
    #expect(text.contains("r-amt (70.0 %) and task-res (60.0 %) are not distinguishable: 10.0 points, 95 % interval −"))
    #expect(text.contains("(100 test images, 1 seed), in 1.0 times the time."))
    // Ten images more, which r-amt alone classifies correctly.
    try FileManager.default.removeItem(at: bench.folder.url.appendingPathComponent("r-amt-4-1"))
    try run("r-amt", right: 10..<90)
    let better = ParsedPage(try bench.html())
    #expect(better.text.contains("r-amt (80.0 %) is better than task-res (60.0 %) by 20.0 points (95 % interval "))
    #expect(
      better.rows.contains { $0.prefix(6) == ["flowers", "4 shots", "r-amt", "task-res", "better", "20.0 points"] })
    #expect(better.rows.contains { Array($0.suffix(3)) == ["30", "10", "100"] })
  }

  @Test func thePretrainedModelTakesPart() throws {
    try run("linear", right: 0..<20)
    let found = try verdicts()
    #expect(
      found.count == 1 && found[0].best.name == "zero-shot" && found[0].rivals.map(\.candidate.name) == ["linear"])
    // 5 images of difference are too few for one seed.
    #expect(!found[0].isClear && found[0].text.contains("zero-shot (25.0 %) and linear (20.0 %) are not disting"))
    #expect(found[0].cheaper == nil, "the pretrained model costs nothing")
  }

  @Test func seedsAreComparedWithTheirOwn() throws {
    for seed in 1...3 {
      try run("r-amt", right: 0..<60 + seed, seed: seed)
      try run("task-res", right: 20..<60 + seed, seed: seed)
    }
    let found = try #require(try verdicts().first)
    let comparison = try #require(found.rivals.first?.comparison)
    #expect(comparison.seeds == 3 && comparison.difference == 20 && comparison.firstOnly == 60 && found.isClear)
    #expect(found.text.contains("100 test images, 3 seeds"))
  }

  @Test func eachNumberOfShotsHasItsOwn() throws {
    try run("r-amt", right: 0..<90, shots: 1)
    try run("task-res", right: 0..<50, shots: 1)
    try run("task-res", right: 0..<95, shots: 4, selection: .test)
    let found = try verdicts()
    #expect(found.map(\.setting) == ["1 shot", "4 shots"])
    #expect(found.map(\.best.name) == ["r-amt", "task-res †"] && found.allSatisfy(\.isClear))
  }

  /// Equally good and cheaper is what most people want.
  @Test func theCheapestOfTheEqualIsNamed() {
    func candidate(_ name: String, _ accuracy: Double, _ seconds: Double?, _ right: Range<Int>) -> Verdict.Candidate {
      let answers = (0..<100).map { ("\($0)", right.contains($0)) }
      return .init(
        name: name, accuracy: accuracy, seconds: seconds, answers: [1: Dictionary(uniqueKeysWithValues: answers)])
    }
    let best = candidate("a", 60, 50, 0..<60)
    let rivals = [candidate("b", 59, 2, 0..<59), candidate("c", 58, nil, 0..<58), candidate("d", 10, 1, 0..<10)]
    let verdict = Verdict(
      dataset: "x", setting: "4 shots", best: best,
      rivals: rivals.map { .init(candidate: $0, comparison: PairedComparison(best.answers, $0.answers)) })
    #expect(verdict.equals.map(\.candidate.name) == ["b", "c"] && verdict.cheaper?.name == "b")
    #expect(
      verdict.text.hasSuffix(
        "in 25 times the time. Not distinguishable from the best and the cheapest: b (59.0 %)."), "\(verdict.text)")
    #expect(Verdict.cost(rivals[0], best) == "in 0.04 times the time" && Verdict.cost(best, rivals[1]) == nil)
  }

  @Test func runsWithoutPredictionsAreNotCompared() throws {
    try bench.run("a", accuracy: 60)
    try bench.run("b", method: "task-res", accuracy: 50)
    let found = try #require(try verdicts().first)
    #expect(found.best.name == "r-amt" && !found.isClear && found.equals.isEmpty)
    #expect(found.text.contains("not compared, as they share no predictions"))
  }
}
