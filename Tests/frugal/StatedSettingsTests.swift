import Foundation
import FrugalTestSupport
import Testing

@testable import Methods
@testable import frugal

/// `--print-config` states what a run would have, in flags that begin the same run.
@Suite struct StatedSettingsTests {
  private static let methods =
    MethodList.names.filter { MethodName($0)?.isTrained ?? false } + [
      "lora+task-res", "r-amt+coop", "spt-lora+tip-adapter-f", "adaptformer+clap", "prolip+clap",
      "prolip+tip-adapter-f", "spt-lora+task-res", "vpt-deep+task-res", "lora+linear",
    ]

  static func request(_ arguments: Arguments) throws -> RunRequest {
    var complete = arguments
    for (flag, value) in [("--model", "model"), ("--data", "data"), ("--out", "run")] {
      if !complete.has(flag) { complete = complete.setting(flag, to: value) }
    }
    return try TuneFlags.request(complete)
  }

  static func recipe(_ arguments: Arguments, _ setting: PublishedSetting) throws -> Recipe {
    let request = try request(arguments)
    let method = try #require(MethodName(request.method))
    var recipe = method.recipe(setting)
    if let budget = request.budgets.first { recipe = method.encoder.recipe(recipe, budget: budget) }
    try request.adjust(&recipe)
    if !method.head.isTrained { recipe.head = recipe.encoder }
    return recipe
  }

  static func file(_ settings: StatedSettings, in folder: TemporaryFolder) throws -> ConfigFile {
    let url = try folder.write(try jsonText(settings.json), to: "stated.json")
    return try ConfigFile(url.path, options: TuneCommand.options)
  }

  /// All flags together change nothing of a published recipe, on any dataset.
  @Test(arguments: methods) func theFlagsAreThePublishedRecipe(_ method: String) throws {
    let folder = try TemporaryFolder()
    for dataset in [nil, "eurosat", "imagenet", "sun397"] {
      for shots in [nil, "1", "16", "all"] {
        let words =
          ["--method", method] + (dataset.map { ["--dataset", $0] } ?? []) + (shots.map { ["--shots", $0] } ?? [])
        let typed = try Arguments(words, options: TuneCommand.options)
        let settings = try StatedSettings(typed)
        let stated = try Arguments([], options: TuneCommand.options).completed(by: Self.file(settings, in: folder))
        let few = MethodName(method)?.trainingProtocol == .fewShot
        let count = shots.map { Int($0) } ?? (few ? 16 : nil)
        let setting = PublishedSetting(
          benchmark: dataset.flatMap { Benchmark(rawValue: $0) }, shots: count, fidelity: .official)
        #expect(try Self.recipe(stated, setting) == Self.recipe(typed, setting), "\(words)")
        #expect(stated.string("--shots") == (count.map { "\($0)" } ?? "all"))
      }
    }
  }

  /// Every setting of a method is stated.
  @Test(arguments: methods) func noSettingIsForgotten(_ method: String) throws {
    let settings = try StatedSettings(Arguments(["--method", method], options: TuneCommand.options))
    let names = settings.rows.map(\.name)
    #expect(Set(names).count == names.count)
    for option in try #require(MethodName(method)).options { #expect(names.contains(option.name), "\(option.name)") }
    // What is open: the masks of r-pmt are as many as those of r-amt, and some settings are chosen on val.
    let open = [
      "select", "epochs", "tuned-share", "inverse-decay", "blend", "cache-alpha", "cache-beta", "selection-batch",
    ]
    for row in settings.rows where row.values == ["open"] { #expect(open.contains(row.name), "\(row.name)") }
    #expect(settings.rows.allSatisfy { !$0.source.isEmpty && !$0.values.isEmpty })
  }

  /// Every number of a recipe has a flag, so that all of them are stated and can be set; a new one fails here first.
  @Test func everyNumberOfARecipeHasAFlag() {
    let flags = [
      "epochs": "epochs", "batchSize": "batch", "augments": "crop", "smallestCrop": "smallest-crop", "shift": "shift",
      "keepsLastBatch": "last-batch", "stochasticDepth": "stochastic-depth", "views": "views", "steps": "max-steps",
      "encoderShare": "encoder-share", "stopLoss": "stop-loss",
      "kind": "optimizer", "learningRate": "lr", "weightDecay": "weight-decay", "momentum": "momentum",
      "nesterov": "nesterov", "course": "schedule", "warmup": "warmup", "warmupEpochs": "warmup-epochs",
      "warmupLearningRate": "warmup-lr", "minimumLearningRate": "min-lr", "lag": "schedule-lag",
      "epsilon": "epsilon", "beta1": "beta1", "beta2": "beta2", "isStepwise": "schedule-unit",
      "density": "density", "refresh": "refresh",
      "recounts": "recount", "spansRest": "recount", "cooldownEpochs": "cooldown-epochs",
    ]
    let known = Set(TuneCommand.options.map { String($0.flag.dropFirst(2)) })
    let recipe = Recipe(epochs: 1, batchSize: 1, optimizer: OptimizerRecipe(learningRate: 1))
    let numbers = [Mirror(reflecting: recipe), Mirror(reflecting: recipe.encoder)].flatMap {
      $0.children.compactMap(\.label)
    }
    for number in numbers where !["encoder", "head", "own"].contains(number) {
      #expect(flags[number].map(known.contains) ?? false, "\(number)")
    }
  }

  /// What a method does not say of itself, flags can.
  @Test func flagsSetWhatOnlyRecipesSaid() throws {
    let words = [
      "--method", "lora", "--max-steps", "70", "--last-batch", "drop", "--batch", "all", "--epsilon", "1e-5",
      "--min-lr", "1e-7", "--schedule-unit", "steps", "--warmup-epochs", "10%", "--crop", "random", "--smallest-crop",
      "0.3",
    ]
    let setting = PublishedSetting(benchmark: nil, shots: nil, fidelity: .official)
    let recipe = try Self.recipe(Arguments(words, options: TuneCommand.options), setting)
    #expect(recipe.steps == 70 && recipe.keepsLastBatch == false && recipe.batchSize == Recipe.allImages)
    #expect(recipe.augments && recipe.smallestCrop == 0.3)
    #expect(recipe.encoder.epsilon == 1e-5 && recipe.encoder.minimumLearningRate == 1e-7)
    #expect(recipe.encoder.isStepwise == true && recipe.encoder.warmupEpochs == 7)
  }

  /// What is said of images and texts stays, switches too.
  @Test func whatIsTypedIsStated() throws {
    let words = [
      "--method", "coop", "--tokenizer", "hugging-face", "--truncate", "--strict", "--train-on", "train+val",
    ]
    let json = try StatedSettings(Arguments(words, options: TuneCommand.options)).json
    #expect(json["tokenizer"] == .text("hugging-face") && json["train-on"] == .text("train+val"))
    #expect(json["truncate"] == .flag(true) && json["strict"] == .flag(true))
    #expect(json["skip-unreadable"] == .flag(false) && json["nesterov"] == .flag(false))
    #expect(json["classes"] == .text("all") && json["evaluate-on"] == .text("test"))
  }

  /// The halves of a pair have rows of their own where they differ.
  @Test func halvesAreStatedApart() throws {
    let settings = try StatedSettings(
      Arguments(["--method", "r-amt+coop", "--epsilon", "1e-5"], options: TuneCommand.options))
    func row(_ name: String) -> StatedSettings.Row? { settings.rows.first { $0.name == name } }
    #expect(row("optimizer")?.values == ["adam"] && row("head-optimizer")?.values == ["sgd"])
    #expect(row("warmup")?.values == ["none"] && row("head-warmup")?.values == ["constant"])
    #expect(row("epsilon")?.source == "--epsilon" && row("head-epsilon") == nil)
    #expect(row("momentum") == nil && row("head-momentum")?.values == ["0.9"])
    #expect(row("schedule")?.values == ["cosine"] && row("head-schedule") == nil)
    let views = try StatedSettings(Arguments(["--method", "prolip+clap"], options: TuneCommand.options)).rows
    let own = views.filter { $0.name == "views" }
    #expect(own.count == 1 && own.first?.values == ["20"] && own.first?.source.contains("prolip") == false)
  }

  /// What is off, zero or none is said, and so are defaults that no data decides.
  @Test func whatIsNotThereIsStated() throws {
    let rows = try StatedSettings(Arguments(["--method", "coop"], options: TuneCommand.options)).rows
    let values = Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.values) })
    for (name, value) in [
      ("nesterov", "off"), ("strict", "off"), ("truncate", "off"), ("skip-unreadable", "off"),
      ("class-specific", "off"), ("force", "off"), ("stop-loss", "0"), ("max-steps", "none"), ("shift", "none"),
      ("context-init", "none"),
    ] {
      #expect(values[name] == [value], "\(name)")
    }
    let own = try StatedSettings(Arguments(["--method", "task-res"], options: TuneCommand.options)).rows
    for (name, value) in [("residual-deviation", "0"), ("enhanced-epochs", "50"), ("enhanced-lr", "1e-4")] {
      #expect(own.first { $0.name == name }?.values == [value], "\(name)")
    }
  }

  @Test(arguments: [
    (["--max-steps", "3", "--epochs", "3"], "--max-steps: expected no --epochs"),
    (["--smallest-crop", "0.5"], "--smallest-crop: expected random crops"),
    (["--optimizer", "sgd", "--epsilon", "1e-5"], "--epsilon: expected --optimizer adam"),
    (["--schedule", "constant", "--min-lr", "1e-5"], "--min-lr: expected --schedule cosine"),
    (["--schedule-unit", "steps", "--warmup-epochs", "10%"], "--warmup-epochs: expected a number"),
    (["--last-batch", "both"], "--last-batch: expected keep, drop"),
    (["--batch", "none"], "--batch: expected"), (["--max-steps", "0"], "--max-steps: expected"),
  ])
  func settingsThatChangeNothingAreRefused(_ words: [String], _ message: String) async throws {
    expectRefusal(
      try await runFrugal(["tune", "--method", "lora", "--print-config"] + words), code: 2, [message])
  }

  /// As a run of a model with texts would.
  @Test func aHeadThatIsNotTrainedHasNoFlags() async throws {
    for method in ["lora", "2sfs"] {
      expectRefusal(
        try await runFrugal("tune", "--method", method, "--print-config", "--head-lr", "0.1"), code: 2,
        ["--head-lr: expected a method with a head that is trained"])
    }
  }

  /// An epoch may belong to both stages, so that a run by epochs could not be resumed.
  @Test func twoStagesShareSteps() async throws {
    expectRefusal(
      try await runFrugal("tune", "--method", "2sfs", "--print-config", "--schedule-unit", "epochs"), code: 2,
      ["--schedule-unit: expected steps, which its two stages share, found epochs"])
  }

  @Test func sourcesAreNamed() async throws {
    let folder = try TemporaryFolder()
    let config = try folder.write(#"{"epochs": 7, "seed": 3}"#, to: "own.json").path
    let words = ["tune", "--method", "r-amt", "--dataset", "eurosat", "--lr", "1e-3", "--config", config]
    let found = try await runFrugal(words + ["--print-config"])
    #expect(found.code == 0, "\(found.errors)")
    let rows = found.output.split(separator: "\n").map {
      $0.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
    func row(_ name: String) -> [String] { Array((rows.first { $0[0] == name } ?? []).dropFirst()) }
    #expect(row("lr") == ["0.001", "--lr"] && row("epochs") == ["7", config] && row("seed") == ["3", config])
    #expect(row("dataset") == ["eurosat", "--dataset"] && row("shots") == ["16", "few-shot protocol"])
    #expect(row("lambda")[0] == "0.3" && row("lambda")[1].contains("authors' configurations"), "\(found.output)")
    #expect(row("as") == ["official", "default"])
    let list = try await runFrugal(["tune", "--method", "nonsense", "--print-config"])
    expectRefusal(list, code: 2, ["--method: expected"])
    expectRefusal(
      try await runFrugal("tune", "--method", "r-amt", "--print-config", "--dry-run"), code: 2, ["--print-config"])
    expectRefusal(try await runFrugal("tune", "--print-config"), code: 2, ["--method: missing"])
    expectRefusal(
      try await runFrugal("tune", "--method", "linear", "--lambda", "1", "--print-config"), code: 2, ["--lambda"])
  }

  /// A run by the printed file is the run without it.
  @Test(arguments: ["r-amt", "lora+task-res", "clip-lora", "2sfs", "tip-adapter-f"])
  func theFileBeginsTheSameRun(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let run = [
      "tune", "--model", Workbench.model, "--data", Workbench.pictures, "--out", folder.path("run"), "--force",
    ]
    let printed = try await runFrugal("tune", "--method", method, "--shots", "2", "--print-config", "--json")
    let config = try folder.write(printed.output, to: "c.json").path
    let plain = try await runFrugal(run + ["--method", method, "--shots", "2", "--dry-run", "--json"])
    let stated = try await runFrugal(run + ["--config", config, "--dry-run", "--json"])
    #expect(plain.code == 0 && plain.output == stated.output, "\(plain.errors)\(stated.errors)")
  }
}
