import Checks
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods
@testable import frugal

@Suite struct ReportTests {
  private let bench: ReportBench

  init() throws { bench = try ReportBench() }

  private func page(_ title: String? = nil) throws -> ParsedPage {
    let html = try bench.html(title: title)
    let parsed = ParsedPage(html)
    #expect(parsed.problem == nil)
    for outside in ["http://", "https://", "<link", "src=\"/", "@import"] {
      let allowed = html.replacing("http://www.w3.org/", with: "")
      #expect(!allowed.contains(outside), "the report needs nothing else")
    }
    return parsed
  }

  private func row(_ parsed: ParsedPage, _ start: String...) throws -> [String] {
    try #require(parsed.rows.first { Array($0.prefix(start.count)) == start }, "\(start) in \(parsed.rows)")
  }

  /// 60, 70 and 80: mean 70, squares of the deviations 100 + 0 + 100 over 2.
  @Test func seedsBecomeMeanAndDeviation() throws {
    for (seed, accuracy) in [(1, 60.0), (2, 70), (3, 80)] {
      try bench.run("s\(seed)", seed: seed, accuracy: accuracy, shares: ["all": Double(seed), "vision.blocks.0": 2])
    }
    try bench.run("other", method: "task-res", accuracy: 90)
    let parsed = try page()
    let found = try row(parsed, "r-amt", "flowers")
    #expect(
      found == [
        "r-amt", "flowers", "4", "70.0 ± 10.0", "100", "1.5 ± 0.0", "–", "5.7 kB", "25.0", "3", "1,234", "2.0",
      ])
    #expect(try row(parsed, "task-res", "flowers")[3...4] == ["90.0", "100"])
    #expect(parsed.rows.contains(["zero-shot", "25.0"]) && parsed.rows.contains(["r-amt", "70.0"]))
    #expect(parsed.text.contains("4 runs, 2 methods, 1 dataset."))
  }

  @Test func budgetsAreBesideWhatIsTrained() throws {
    for (seed, encoder) in [(1, 6000), (2, 6288)] {
      try bench.run("s\(seed)", method: "spt-lora", seed: seed, zeroShot: nil, budget: 6144, encoder: encoder)
    }
    try bench.run("a", method: "lora", zeroShot: nil, encoder: 6144)
    let parsed = try page()
    #expect(try row(parsed, "spt-lora", "flowers")[9...11] == ["2", "6,144", "6,144"])
    #expect(try row(parsed, "lora", "flowers")[9...11] == ["1", "–", "6,144"])
    #expect(!parsed.text.contains("are not compared"))
    try bench.run("b", method: "spt-adapter", zeroShot: nil, budget: 6144, encoder: 5503)
    #expect(
      try page().text.contains(
        "Rows of flowers with a budget of 6,144 are not compared: totals 5,503 and 6,144 differ by 11.6 %."))
  }

  /// A diverged run is in the mean, and named. ln 2 = 0.693.
  @Test func divergedRunsAreMarkedAndNamed() throws {
    try bench.run("a", seed: 1, accuracy: 50)
    try bench.run("b", seed: 2, accuracy: 70, losses: [0.69, 0.3, 0.69])
    let parsed = try page()
    #expect(try row(parsed, "r-amt", "flowers")[3] == "60.0 ± 14.1 ‡1")
    #expect(parsed.rows.contains(["r-amt", "60.0 ‡1"]))
    #expect(
      parsed.text.contains(
        "‡ Runs that diverged, which are a part of the means they are in: r-amt, flowers, 4 shots, seed 2: training "
          + "diverged: its loss fell to 0.30 and was back at chance, ln(classes) = 0.69, from epoch 3 on."),
      "\(parsed.text)")
  }

  @Test func datasetsBecomeColumnsAndTheirMean() throws {
    try bench.run("a", data: "x/flowers", accuracy: 50)
    try bench.run("b", data: "x/pets", classes: ["cat", "dog"], accuracy: 80, zeroShot: 75)
    try bench.run("c", method: "task-res", data: "x/pets", classes: ["cat", "dog"], accuracy: 82, zeroShot: 75)
    let parsed = try page()
    #expect(parsed.rows.contains(["method", "flowers", "pets", "mean"]))
    #expect(parsed.rows.contains(["zero-shot", "25.0", "75.0", "50.0"]))
    #expect(parsed.rows.contains(["r-amt", "50.0", "80.0", "65.0"]))
    #expect(parsed.rows.contains(["task-res", "–", "82.0", "–"]))
  }

  /// Prompts decide what the frozen model says, so a dataset can have several zero-shot accuracies.
  @Test func zeroShotAccuraciesThatDifferAreARange() throws {
    try bench.run("a", accuracy: 50, zeroShot: 25)
    try bench.run("b", method: "task-res", accuracy: 60, zeroShot: 30) { $0.templates = ["the {}"] }
    #expect(try page().rows.contains(["zero-shot", "25.0 – 30.0"]))
  }

  /// Runs that differ in a setting are no repetitions of each other, whatever their seeds.
  @Test func otherSettingsAreAnotherRow() throws {
    try bench.run("a", seed: 1, accuracy: 50, epochs: 3)
    try bench.run("b", seed: 2, accuracy: 60, epochs: 5)
    try bench.run("c", data: "elsewhere/flowers", seed: 3, accuracy: 70, epochs: 5)
    let parsed = try page()
    #expect(try row(parsed, "r-amt (recipe.epochs 3)", "flowers")[3] == "50.0")
    #expect(try row(parsed, "r-amt (recipe.epochs 5)", "flowers")[3] == "65.0 ± 7.1")
  }

  @Test func datasetsAndModelsOfTheSameNameStayApart() throws {
    try bench.run("a", data: "one/photos", classes: ["a", "b"])
    try bench.run("b", data: "two/photos", classes: ["c", "d"])
    try bench.run("c", data: "one/photos", accuracy: 75) { ($0.model.path, $0.model.sha256) = ("big/tiny", "2") }
    let parsed = try page()
    #expect(try row(parsed, "r-amt", "one/photos", "models/tiny")[4] == "50.0")
    #expect(try row(parsed, "r-amt", "one/photos", "big/tiny")[4] == "75.0")
    #expect(try row(parsed, "r-amt", "two/photos", "models/tiny")[4] == "50.0")
  }

  @Test func aMethodHasOneNameAtAllShots() throws {
    try bench.run("a", shots: 16, accuracy: 50) { $0.recipe[MaskTuningSettings.self]?.lambda = 0.3 }
    try bench.run("b", shots: 16, accuracy: 60) { $0.recipe[MaskTuningSettings.self]?.lambda = 1 }
    try bench.run("c", shots: 1, accuracy: 70) { $0.recipe[MaskTuningSettings.self]?.lambda = 0.3 }
    try bench.run("d", method: "task-res", shots: 1)
    let parsed = try page()
    let names = parsed.rows.filter { $0.count > 5 && $0[1] == "flowers" }.map { $0.prefix(3).joined(separator: " ") }
    #expect(
      names == [
        "r-amt (recipe.lambda 0.3) flowers 1", "r-amt (recipe.lambda 0.3) flowers 16",
        "r-amt (recipe.lambda 1) flowers 16", "task-res flowers 1",
      ])
  }

  @Test func theSameClassesUnderAnotherNameAreAnotherDataset() throws {
    try bench.run("a", data: "world/caltech", seed: 1, accuracy: 50)
    try bench.run("b", data: "world/shapes", seed: 2, accuracy: 70)
    let parsed = try page()
    #expect(try row(parsed, "r-amt", "caltech")[3] == "50.0")
    #expect(try row(parsed, "r-amt", "shapes")[3] == "70.0")
  }

  @Test func shotsBecomeAChartADatasetAndOneOfTheirMean() throws {
    for (index, data) in ["x/flowers", "x/pets"].enumerated() {
      for shots in [1, 4, nil] {
        for seed in 1...2 {
          try bench.run(
            "\(index)-\(shots ?? 0)-\(seed)", data: data, classes: ["c\(index)", "d"], shots: shots, seed: seed,
            accuracy: 50 + Double(shots ?? 16) + Double(seed))
        }
      }
    }
    let html = try bench.html()
    #expect(html.contains("Accuracy against shots") && html.contains("<title>mean of 2 datasets</title>"))
    #expect(html.contains("r-amt from 52.5 to 67.5; "), "1 shot: 52 and 53")
    #expect(ParsedPage(html).problem == nil)
  }

  /// H of 80 and 40 is 6400 / 120 = 53.33, of 60 and 60 it is 60: mean 56.67, deviation 6.67 / √2.
  @Test func baseAndNewClassesHaveATableOfTheirOwn() throws {
    for (seed, base, new) in [(1, 80.0, 40.0), (2, 60, 60)] {
      try bench.run(
        "s\(seed)", newClasses: ["c", "d"], seed: seed, accuracy: base, zeroShot: 50, new: (tuned: new, frozen: 30))
    }
    try bench.run(
      "other", method: "mask-tuning", newClasses: ["c", "d"], accuracy: 70, zeroShot: 50, new: (tuned: 50, frozen: 30))
    try bench.run("all", classes: ["a", "b", "c", "d"], accuracy: 55)
    let parsed = try page()
    let rows = parsed.rows.filter { $0.count == 6 && $0[0] == "flowers" }
    #expect(
      rows.first { $0[1] == "r-amt" } == ["flowers", "r-amt", "4", "70.0 ± 14.1", "50.0 ± 14.1", "56.7 ± 4.7"])
    #expect(rows.filter { $0[1] == "zero-shot" } == [["flowers", "zero-shot", "4", "50.0", "30.0", "37.5"]])
    #expect(parsed.rows.contains(["method", "flowers"]))
    #expect(parsed.rows.contains(["r-amt", "55.0"]))
  }

  @Test func aModelChosenByTheTestSplitIsMarked() throws {
    try bench.run("a", selection: .test)
    #expect(try page().text.contains("r-amt †"))
  }

  @Test func textOfOthersStaysText() throws {
    let hostile = "<script>alert(1)</script> & \"é\""
    let run = try bench.run(hostile.replacing("/", with: "|"), data: "d/<i>&\"", classes: [hostile, "b"])
    let folder = RunFolder(run)
    try folder.writePredictions([
      Prediction(
        picture: "test/<b>/\"x\".png", label: 0, tuned: .init(label: 0, probability: 0.5),
        zeroShot: .init(label: 1, probability: 0.5))
    ])
    let html = try bench.html(title: hostile)
    let parsed = ParsedPage(html)
    #expect(parsed.problem == nil && parsed.counts["script"] == 1 && parsed.counts["i"] == nil)
    #expect(parsed.text.contains(hostile) && html.contains("<title>&lt;script&gt;"))
  }

  @Test func whatIsNoFinishedRunIsNamedAndTheOthersReported() throws {
    try bench.run("good")
    try bench.run("deep/er/good", seed: 2)
    try bench.run("copy")
    try FileManager.default.removeItem(at: try bench.run("unfinished", seed: 3).appendingPathComponent("result.json"))
    try bench.folder.write("{}", to: "foreign/config.json")
    try bench.run("foreign/inside", seed: 4)
    try bench.run("broken", seed: 5)
    try bench.folder.write("{", to: "broken/result.json")
    try bench.run("absurd", seed: 6, accuracy: 200)
    try bench.run("torn", seed: 7)
    try bench.folder.write("{\"epoch\":1}\n", to: "torn/metrics.jsonl")
    try bench.folder.write("x", to: "nothing/here.txt")
    let file = bench.folder.url.appendingPathComponent("report.html")
    let outcome = try Report.write(runs: [bench.folder.url], to: file)
    #expect(outcome.runs == 3)
    let reasons = Dictionary(uniqueKeysWithValues: outcome.skipped.map { ($0.name, $0.reason) })
    #expect(reasons.keys.sorted() == ["absurd", "broken", "foreign", "good", "torn", "unfinished"])
    #expect(reasons["good"] == "the same run as copy: counted once")
    #expect(reasons["unfinished"]?.contains("found no result.json") == true)
    #expect(reasons["foreign"] == "expected the config.json of a run, found other contents")
    let parsed = ParsedPage(try String(contentsOf: file, encoding: .utf8))
    for (name, reason) in reasons { #expect(parsed.rows.contains([name, reason])) }
    #expect(try row(parsed, "r-amt", "flowers")[9] == "3")
  }

  /// Settings hold the names of images; what is in them shows in the logits.
  @Test func runsOnOtherImagesOfTheSameNamesAreOtherRuns() throws {
    try bench.run("a")
    try bench.run("b", digest: "1")
    try bench.run("copy")
    let outcome = try Report.write(runs: [bench.folder.url], to: bench.folder.url.appendingPathComponent("r.html"))
    #expect(outcome.runs == 2 && outcome.skipped.map(\.name) == ["copy"])
  }

  @Test func whereNothingIsFinishedThereIsNoReport() throws {
    let file = bench.folder.url.appendingPathComponent("report.html")
    try bench.folder.write("{}", to: "foreign/config.json")
    #expect(throws: ReportError.self) { try Report.write(runs: [bench.folder.url], to: file) }
    #expect(throws: ReportError.self) {
      try Report.write(runs: [bench.folder.url.appendingPathComponent("no")], to: file)
    }
    #expect(bench.folder.contents == ["foreign", "foreign/config.json"])
  }

  @Test func theSameRunsAreTheSameBytes() throws {
    for seed in 1...3 {
      try bench.run("s\(seed)", seed: seed, shares: ["all": 1, "vision.blocks.0": 2, "vision.blocks.1": 3])
    }
    try bench.run("t", method: "task-res", shots: 2)
    let first = try bench.html()
    let file = bench.folder.url.appendingPathComponent("other.html")
    let folders = ["t", "s3", "s1", "s2"].map { bench.folder.url.appendingPathComponent($0) }
    try Report.write(runs: folders, to: file)
    #expect(try String(contentsOf: file, encoding: .utf8) == first)
  }

  @Test func maskedWeightsAreAddedUpByOperation() throws {
    func masks(_ more: Int) -> [String: (masked: Int, weights: Int)] {
      [
        "vision.blocks.0.attention.query": (10 + more, 100), "vision.blocks.1.attention.query": (30, 300),
        "vision.patchEmbedding": (1, 8),
      ]
    }
    for seed in 1...2 { try bench.run("s\(seed)", seed: seed, shares: ["all": 1], masks: masks(4 * seed)) }
    let html = try bench.html()
    // (14 + 30) / 400 = 11 % and (18 + 30) / 400 = 12 %: 11.5 %; 1 / 8 = 12.5 %.
    #expect(!html.contains("masked weights of the layer (%)"))
    let rows = ParsedPage(html).rows
    for row in [
      ["part", "query", "patch embedding"], ["block 1", "16.0", ""], ["block 2", "10.0", ""],
      ["outside of blocks", "", "12.5"], ["all together", "11.5", "12.5"],
    ] {
      #expect(rows.contains(row), "\(row)")
    }
    let file = bench.folder.url.appendingPathComponent("s1/result.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    for weights in [0, -1] {
      try bench.folder.write(text.replacing("\"weights\" : 8", with: "\"weights\" : \(weights)"), to: "s1/result.json")
      #expect(try bench.html().contains("result.json: expected percentages and counts, found values out of range"))
    }
  }

  @Test func picturesOnWhichTheModelsDisagreeAreInIt() throws {
    let run = RunFolder(try bench.run("r", data: bench.folder.path("data"), classes: ["cat", "dog"]))
    let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1]
    for name in ["a.png", "b.png", "c.png"] { try bench.folder.write(png, to: "data/test/cat/\(name)") }
    try bench.folder.write("no picture", to: "data/test/cat/text.png")
    try bench.folder.write(png, to: "secret.png")
    func line(_ picture: String, _ tuned: Int, _ frozen: Int, _ probability: Float = 0.75) -> Prediction {
      Prediction(
        picture: picture, label: 0, tuned: .init(label: tuned, probability: probability),
        zeroShot: .init(label: frozen, probability: 0.625))
    }
    try run.writePredictions([
      line("test/cat/a.png", 0, 1, 0.5), line("test/cat/b.png", 0, 1), line("test/cat/c.png", 0, 0),
      line("test/cat/text.png", 0, 1), line("../secret.png", 0, 1), line("test/cat/gone.png", 1, 0),
      line("test/cat/c.png", 1, 1),
    ])
    let html = try bench.html()
    let sources = html.matches(of: /alt="([^"]*)" src="data:([a-z\/]*);base64,([^"]*)"/)
    #expect(sources.map { String($0.1) } == ["test/cat/b.png", "test/cat/a.png"], "the surest first")
    #expect(sources.allSatisfy { $0.2 == "image/png" && $0.3 == Data(png).base64EncodedString() })
    let text = ParsedPage(html).text
    let rows = ParsedPage(html).rows
    #expect(rows.contains(["correct before", "1", "1"]) && rows.contains(["wrong before", "4", "1"]))
    #expect(text.contains("tuned: cat 75.0 %") && text.contains("zero-shot: dog 62.5 %"))
    #expect(text.contains("2 images are not shown") && text.contains("1 image is not shown"))
  }

  /// By contents, as many have the extension of another type.
  @Test(arguments: [
    ("gif", Array("GIF89a".utf8)), ("bmp", Array("BM".utf8)), ("webp", Array("RIFF\0\0\0\0WEBPVP8 ".utf8)),
    ("jpeg", [0xff, 0xd8, 0xff, 0xe0]),
  ]) func everyTypeThatBrowsersShowIsEmbedded(_ type: String, _ bytes: [UInt8]) throws {
    let run = RunFolder(try bench.run("r", data: bench.folder.path("data"), classes: ["cat", "dog"]))
    try bench.folder.write(bytes, to: "data/test/cat/a.jpg")
    try bench.folder.write(Array("RIFF\0\0\0\0WAVE".utf8), to: "data/test/cat/b.jpg")
    try run.writePredictions(
      ["a", "b"].map {
        Prediction(
          picture: "test/cat/\($0).jpg", label: 0, tuned: .init(label: 0, probability: 0.75),
          zeroShot: .init(label: 1, probability: 0.5))
      })
    let sources = try bench.html().matches(of: /src="data:([a-z\/]*);base64,([^"]*)"/)
    #expect(sources.map { String($0.1) } == ["image/\(type)"])
    #expect(sources.first.map { String($0.2) } == Data(bytes).base64EncodedString())
  }

  @Test func labelsOfNoClassAreRefused() throws {
    let run = RunFolder(try bench.run("r"))
    try run.writePredictions([
      Prediction(
        picture: "p", label: 7, tuned: .init(label: 0, probability: 1), zeroShot: .init(label: 0, probability: 1))
    ])
    #expect(try page().text.contains("expected labels of the run's classes, found others"))
  }

  @Test func theCommandPrintsThePathLast() async throws {
    try bench.run("r")
    try bench.folder.write("{}", to: "foreign/config.json")
    let file = bench.folder.path("out.html")
    let outcome = try await runFrugal("report", bench.folder.url.path, "--out", file, "--title", "Ours")
    #expect(outcome.code == 0 && outcome.output.hasSuffix("\n\(file)\n"), "\(outcome.errors)")
    #expect(outcome.errors.contains("skipped: foreign: expected the config.json of a run"))
    #expect(try String(contentsOfFile: file, encoding: .utf8).contains("<h1>Ours</h1>"))
    expectRefusal(try await runFrugal("report"), code: 2, ["expected folders that are or contain runs"])
    expectRefusal(
      try await runFrugal("report", bench.folder.path("foreign")), code: 1,
      ["expected at least one finished run, found none"])
    let empty = bench.folder.url.appendingPathComponent("empty")
    try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
    expectRefusal(
      try await runFrugal("report", empty.path), code: 1,
      ["\(empty.path): expected at least one finished run, found none (empty: expected runs, found no config.json)"])
  }
}
