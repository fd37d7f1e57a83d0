import Foundation
import FrugalTestSupport
import Testing

@testable import Methods

@Suite struct RunFolderTests {
  private func settings(_ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
    let name = MethodName(MethodList.encoders[1], MethodList.heads[1])
    var settings = RunConfiguration(
      method: name, fidelity: .paper, benchmark: .dtd, shots: nil, seed: 7, model: .init(path: "m", sha256: "1"),
      data: .init(path: "d", classes: ["a b", "c"], sha256: "2"), templates: ["{}", "a {}"], ensembling: .unitMean,
      cleaning: "published", truncates: true,
      recipe: name.recipe(PublishedSetting(benchmark: .dtd, shots: nil, fidelity: .paper)), selection: .validation,
      skipsUnreadable: true)
    change(&settings)
    return settings
  }

  @Test func settingsComeBackAsTheyWere() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.url.appendingPathComponent("deep/run"))
    try run.create(settings())
    #expect(try run.settings() == settings())
    #expect(folder.contents == ["deep", "deep/run", "deep/run/config.json", "deep/run/paths.json"])
    #expect(throws: SettingError.self) { try run.create(settings()) }
  }

  @Test func theFingerprintIsThatOfEverythingButPlaces() throws {
    let own = try settings().fingerprint
    #expect(own.count == 64)
    #expect(try settings { ($0.model.path, $0.data.path) = ("elsewhere", "too") }.fingerprint == own)
    let changes: [(inout RunConfiguration) -> Void] = [
      { $0.version = "0" }, { $0.method = "r-amt" }, { $0.fidelity = .official }, { $0.benchmark = nil },
      { $0.shots = 1 }, { $0.seed = 8 }, { $0.model.sha256 = "3" }, { $0.data.sha256 = "3" },
      { $0.data.classes = ["c", "a b"] }, { $0.templates = ["{}"] }, { $0.ensembling = .rawMean },
      { $0.cleaning = "hugging-face" }, { $0.truncates = false }, { $0.recipe[MaskTuningSettings.self]?.lambda = 0.5 },
      { $0.recipe.head.momentum = 0.5 }, { $0.selection = .last }, { $0.skipsUnreadable = false },
      { $0.precision = "Half" }, { $0.isFused.toggle() }, { $0.splits = .trainAndValidation }, { $0.budgets = [1, 2] },
      { $0.classes = .base }, { $0.data.newClasses = ["d"] },
    ]
    let others = try changes.map { try settings($0).fingerprint }
    #expect(Set(others).count == changes.count && !others.contains(own))
  }

  /// `config.json` of a run made before tuned sites: no stochastic depth, last batch, lag, splits or budgets.
  private static let first = #"""
    {"benchmark": "dtd", "cleaning": "published", "data": {"classes": ["a b", "c"], "path": "d", "sha256": "2"},
     "ensembling": "raw-mean", "fidelity": "official", "isFused": true, "method": "task-res",
     "model": {"path": "m", "sha256": "1"}, "precision": "Float",
     "recipe": {"alpha": 0.5, "augments": true, "batchSize": 256,
       "encoder": {"course": "cosine", "kind": "adam", "learningRate": 0.002, "momentum": 0.9, "nesterov": false,
         "recounts": true, "warmup": "none", "warmupEpochs": 1, "warmupLearningRate": 1e-05, "weightDecay": 0},
       "epochs": 100,
       "head": {"course": "cosine", "kind": "adam", "learningRate": 0.002, "momentum": 0.9, "nesterov": false,
         "recounts": true, "warmup": "constant", "warmupEpochs": 1, "warmupLearningRate": 1e-05, "weightDecay": 0.0005},
       "lambda": 0, "normWeight": 0, "smallestCrop": 0.08},
     "seed": 1, "selection": "last", "shots": 16, "skipsUnreadable": false, "templates": ["{} texture."],
     "truncates": false, "version": "0.1.0"}
    """#

  /// Such a run can be resumed: what it lacks means what it did, and its fingerprint, which its checkpoint holds, is
  /// that of these settings alone.
  @Test func settingsOfTheFirstRunsAreStillUnderstood() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.first, to: "config.json")
    let settings = try RunFolder(folder.url).settings()
    let recipe = settings.recipe
    #expect(recipe.keepsLastBatch == nil && recipe.stochasticDepth == nil && recipe[BranchSettings.self] == nil)
    #expect(settings.splits == nil && settings.budgets == nil && settings.selection == .last)
    let schedule = recipe.head.schedule(epochs: 100)
    #expect(schedule.lag == 0 && schedule.minimum == 0)
    // SHA-256 of the text above without places and spaces, keys sorted, by Python's json and hashlib.
    #expect(try settings.fingerprint == "3aae03394d95e1a0a08a4719c45686703ef5c92894e6281089ded9bf70414172")
  }

  private func metrics(_ epoch: Int, loss: Double) -> EpochMetrics {
    EpochMetrics(
      epoch: epoch, steps: epoch, learningRates: [:], terms: ["loss": loss], accuracy: 0, shares: [:], seconds: 0,
      imagesPerSecond: 0)
  }

  @Test func metricsAfterTheGivenLineAreReplaced() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.url)
    func losses() throws -> [Double?] {
      try String(contentsOf: run.metrics, encoding: .utf8).split(separator: "\n").map {
        try JSONDecoder().decode(EpochMetrics.self, from: Data($0.utf8)).terms["loss"]
      }
    }
    for epoch in 1...3 { try run.writeMetrics(metrics(epoch, loss: Double(epoch)), after: epoch - 1) }
    #expect(try losses() == [1, 2, 3])
    // Killed behind the second checkpoint, a run writes its third line again.
    try run.writeMetrics(metrics(2, loss: 20), after: 1)
    #expect(try losses() == [1, 20])
  }

  @Test func equalMetricsAreEqualBytes() throws {
    let (one, two) = (try TemporaryFolder(), try TemporaryFolder())
    var value = metrics(1, loss: 0.1)
    value.terms = Dictionary(uniqueKeysWithValues: "abcdefgh".map { (String($0), 0.1) })
    for folder in [one, two] { try RunFolder(folder.url).writeMetrics(value, after: 0) }
    let text = try String(contentsOf: RunFolder(one.url).metrics, encoding: .utf8)
    #expect(text == (try String(contentsOf: RunFolder(two.url).metrics, encoding: .utf8)))
  }

  /// A result is read by people, too: one key a line, and a line break at the end.
  @Test func theResultIsTextOfWholeLines() throws {
    let folder = try TemporaryFolder()
    let score = try JSONDecoder().decode(
      RunResult.Score.self,
      from: Data(#"{"accuracy":50,"correct":1,"total":2,"logitsSHA256":"0","unreadable":0}"#.utf8))
    let result = RunResult(
      method: "r-amt", epoch: 1, reason: "last", selection: .last, test: score, zeroShot: score,
      validationAccuracy: nil,
      trainedParameters: 3, deltaBytes: 4, shares: [:])
    try RunFolder(folder.url).writeResult(result)
    let text = try String(contentsOf: RunFolder(folder.url).result, encoding: .utf8)
    #expect(text.hasPrefix("{\n") && text.hasSuffix("}\n"))
    #expect(try JSONDecoder().decode(RunResult.self, from: Data(text.utf8)) == result)
  }

  @Test func aFileOrARunInTheWayIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "file")
    func message(_ name: String) -> String {
      do {
        try RunFolder(folder.url.appendingPathComponent(name)).requireVacant()
        return ""
      } catch { return "\(error)" }
    }
    #expect(message("file").hasPrefix("out: expected a folder, found the file "))
    #expect(message("nothing") == "" && message(".") == "")
    for name in [
      "config.json", "inputs.jsonl", "metrics.jsonl", "checkpoint.safetensors", "delta.safetensors",
      "predictions.jsonl", "timing.json", "result.json",
    ] {
      try folder.write("", to: "run-\(name)/\(name)")
      #expect(message("run-\(name)").hasPrefix("out: expected a folder without a run, found "))
    }
  }

  @Test func discardingTakesAwayOnlyAnUnstartedRun() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.url.appendingPathComponent("run"))
    try run.create(settings())
    run.discardUnstarted()
    #expect(folder.contents.isEmpty)
    try run.create(settings())
    try folder.write("", to: "run/checkpoint.safetensors")
    run.discardUnstarted()
    #expect(folder.contents == ["run", "run/checkpoint.safetensors", "run/config.json", "run/paths.json"])
  }

  @Test func settingsThatNoRunCanHaveAreNamed() {
    let changes: [(String, (inout RunConfiguration) -> Void)] = [
      ("shots: expected 1 or more, found 0", { $0.shots = 0 }),
      ("seed: expected 0 or more, found -1", { $0.seed = -1 }),
      ("data.classes: expected names, found none", { $0.data.classes = [] }),
      ("templates: expected at least one, found none", { $0.templates = [] }),
      ("recipe.epochs: expected 1 to 1000000, found 0", { $0.recipe.epochs = 0 }),
      ("recipe.batchSize: expected 1 to 1000000, found -4", { $0.recipe.batchSize = -4 }),
      ("recipe.smallestCrop: expected above 0, at most 1, found 1.5", { $0.recipe.smallestCrop = 1.5 }),
      ("recipe.lambda: expected 0 to 1, found 2.0", { $0.recipe[MaskTuningSettings.self]?.lambda = 2 }),
      ("recipe.normWeight: expected 0 or more, found -1.0", { $0.recipe[MaskTuningSettings.self]?.normWeight = -1 }),
      ("recipe.tunedShare: expected 0 to 1, found -0.5", { $0.recipe[MaskTuningSettings.self]?.tunedShare = -0.5 }),
      ("recipe.encoder.learningRate: expected 0 or more, found -1.0", { $0.recipe.encoder.learningRate = -1 }),
      ("recipe.head.weightDecay: expected 0 or more, found -1.0", { $0.recipe.head.weightDecay = -1 }),
      ("recipe.head.warmupEpochs: expected 0 or more, found -1", { $0.recipe.head.warmupEpochs = -1 }),
      (
        "recipe.head.momentum: expected above 0 with nesterov, found 0.0",
        { ($0.recipe.head.momentum, $0.recipe.head.nesterov) = (0, true) }
      ),
    ]
    let base: (inout RunConfiguration) -> Void = {
      ($0.method, $0.classes, $0.data.newClasses) = ("r-amt", .base, ["d"])
    }
    #expect(settings().problem == nil && settings(base).problem == nil)
    for (text, change) in [
      ("classes: expected base, or nothing for all, found new", { $0.classes = .new }),
      ("data.newClasses: expected names with base classes, found none", { $0.data.newClasses = [] }),
      (
        "classes: expected all, as r-amt+task-res learns only the classes it is trained on, found base",
        { $0.method = "r-amt+task-res" }
      ),
    ] as [(String, (inout RunConfiguration) -> Void)] {
      #expect(
        settings {
          base(&$0)
          change(&$0)
        }.problem == text)
    }
    #expect(settings { $0.seed = 0 }.problem == nil)
    for (text, change) in changes { #expect(settings(change).problem == text) }
  }
}
