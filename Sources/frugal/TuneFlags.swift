import Datasets
import Foundation
import Methods
import Models

/// From the flags of `frugal tune` to what is asked of a run.
enum TuneFlags {
  /// A run that begins.
  static func new(_ arguments: Arguments) throws -> Run {
    let request = try request(arguments)
    let run = try namingSplitFlag { try Run(request, in: RunFolder(at: try arguments.required("--out"))) }
    for flag in ["--head-lr", "--head-weight-decay"] where arguments.has(flag) && !run.name.head.isTrained {
      throw UsageError(
        flag, expected: "a method with a head that is trained, as \(run.name)+linear", found: "\(run.name)")
    }
    return run
  }

  /// A run that is resumed: its own settings, and the paths of model and data if they have moved.
  static func resumed(_ arguments: Arguments) throws -> Run {
    let allowed = Set(
      ["--resume", "--model", "--data", "--data-list", "--method", "--dry-run", "--json"]
        + (cacheOptions + commonOptions).map(\.flag))
    if let flag = arguments.flags.subtracting(allowed).min() {
      throw UsageError("\(flag): cannot be combined with --resume: the settings of the run hold")
    }
    let folder = RunFolder(at: try arguments.required("--resume"))
    let settings = try folder.settings()
    if arguments.has("--method"), try method(arguments).description != settings.method {
      throw UsageError(
        "--method", expected: "that of the run, \(settings.method)", found: try method(arguments).description)
    }
    do {
      return try Run(
        resuming: folder, model: arguments.string("--model"), data: arguments.string("--data"),
        dataList: arguments.string("--data-list"))
    } catch let error as MissingPath {
      let way =
        switch error.subject {
        case .model: "--model says where it is now"
        case .images: "--data says where they are now"
        case .list: "--data-list says where it is now"
        }
      throw RunError("\(error) (\(way))")
    }
  }

  /// What the flags ask for; every flag is checked before anything is read.
  static func request(_ arguments: Arguments) throws -> RunRequest {
    let method = try method(arguments)
    var request = RunRequest(
      method: method.description, model: try arguments.required("--model"), data: try arguments.dataPath())
    request.dataList = arguments.string("--data-list")
    request.drawnSplit = try arguments.drawnSplit()
    _ = try arguments.required("--out")
    request.on = arguments.string("--on")
    request.shots = try shots(arguments)
    request.isStrict = arguments.has("--strict")
    request.seed = try arguments.integer("--seed", in: 0...Int(Int32.max)) ?? 1
    request.fidelity = try arguments.choice("--as", of: Fidelity.self) ?? .official
    request.benchmark = try arguments.choice("--dataset", of: Benchmark.self)
    request.templates = arguments.templates
    request.cleaning = try arguments.choice("--tokenizer", of: TextCleaning.self) ?? .published
    request.truncates = arguments.has("--truncate")
    let images = try arguments.images()
    (request.normalization, request.resizing) = (images.normalization, images.resizing)
    request.exif = try arguments.exif()
    request.hints = try arguments.hints()
    request.classes = try arguments.choice("--classes", of: ClassPart.self) ?? .all
    request.selection = try arguments.choice("--select", of: RunConfiguration.Selection.self)
    request.splits = try arguments.choice("--train-on", of: RunConfiguration.Splits.self)
    request.evaluation = try arguments.choice("--evaluate-on", of: RunConfiguration.EvaluatedSplit.self) ?? .test
    request.skipsUnreadable = arguments.has("--skip-unreadable")
    request.isForced = arguments.has("--force")
    try MethodFlags.check(arguments, method)
    try checkSteps(arguments, method)
    request.budgets = try MethodFlags.list(arguments, method)
    try request.checkEvaluation()
    request.adjust = { try adjust(&$0, arguments, method) }
    // The same flags on the published recipe of other data: what is wrong with them is wrong everywhere.
    var trial = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: request.fidelity))
    try request.adjust(&trial)
    try method.check(trial)
    return request
  }

  /// Refuses settings of steps for a head that takes none.
  private static func checkSteps(_ arguments: Arguments, _ method: MethodName) throws(UsageError) {
    guard method.head.isFitted else { return }
    for option in RecipeFlags.all(.all) where !RecipeFlags.withoutSteps.contains(option.flag) {
      guard arguments.has(option.flag) else { continue }
      throw UsageError(option.flag, expected: "a method that is trained step by step", found: "--method \(method)")
    }
  }

  private static func method(_ arguments: Arguments) throws -> MethodName {
    let text = try arguments.required("--method")
    guard MethodName(text)?.isTrained ?? true else {
      throw UsageError("--method: expected one that trains, found \"\(text)\" (frugal evaluate does that)")
    }
    return try Run.method(text)
  }

  private static func shots(_ arguments: Arguments) throws(UsageError) -> RunRequest.Shots? {
    guard let text = arguments.string("--shots") else { return nil }
    if text == "all" { return .all }
    guard let shots = Int(text), shots > 0, shots <= 1_000_000 else {
      throw UsageError("--shots", expected: "a whole number from 1, or all", found: "\"\(text)\"")
    }
    return .count(shots)
  }

  /// What the flags change in a published recipe.
  private static func adjust(_ recipe: inout Recipe, _ arguments: Arguments, _ method: MethodName) throws {
    if arguments.has("--shift"), arguments.string("--crop") == Crop.random.rawValue {
      throw UsageError("--shift", expected: "no random crops with it", found: "--crop random")
    }
    if let epochs = try arguments.integer("--epochs", in: 1...100_000) { (recipe.epochs, recipe.steps) = (epochs, nil) }
    if let loss = try arguments.number("--stop-loss", in: 0...1e6) { recipe.stopLoss = loss == 0 ? nil : loss }
    if let batch = try arguments.integer("--batch", in: 1...65_536) { recipe.batchSize = batch }
    if let crop = try arguments.choice("--crop", of: Crop.self) { recipe.augments = crop == .random }
    if let shift = try arguments.integer("--shift", in: 1...64) { (recipe.shift, recipe.augments) = (shift, false) }
    if let share = try arguments.number("--stochastic-depth", in: 0...0.99) { recipe.stochasticDepth = share }
    try MethodFlags.apply(method.options, arguments, to: &recipe)
    recipe.encoder = try optimizer(recipe.encoder, arguments, epochs: recipe.epochs)
    recipe.head = try optimizer(recipe.head, arguments, epochs: recipe.epochs)
    try adjustRates(&recipe, arguments, method)
  }

  /// Learning rate and weight decay, which each half has of its own.
  private static func adjustRates(_ recipe: inout Recipe, _ arguments: Arguments, _ method: MethodName) throws {
    for (flag, other) in [("--lr", "--head-lr"), ("--weight-decay", "--head-weight-decay")]
    where !method.encoder.isTrained && arguments.has(flag) && arguments.has(other) {
      throw UsageError(other, expected: "no \(flag) with it, as \(method) trains a head only", found: "both")
    }
    if let rate = try arguments.number("--lr", in: 0...1e3) {
      method.changeOptimizer(of: &recipe) { $0.learningRate = rate }
    }
    if let decay = try arguments.number("--weight-decay", in: 0...1e3) {
      method.changeOptimizer(of: &recipe) { $0.weightDecay = decay }
    }
    if let rate = try arguments.number("--head-lr", in: 0...1e3) { recipe.head.learningRate = rate }
    if let decay = try arguments.number("--head-weight-decay", in: 0...1e3) { recipe.head.weightDecay = decay }
  }

  private enum Crop: String, CaseIterable { case random, center }
  private enum Recount: String, CaseIterable { case yes, no, rest }

  private static func optimizer(
    _ published: OptimizerRecipe, _ arguments: Arguments, epochs: Int
  ) throws(UsageError) -> OptimizerRecipe {
    var recipe = published
    if let kind = try arguments.choice("--optimizer", of: OptimizerRecipe.Kind.self) { recipe.kind = kind }
    if let momentum = try arguments.number("--momentum", in: 0...0.9999) { recipe.momentum = momentum }
    if arguments.has("--nesterov") { recipe.nesterov = true }
    if let course = try arguments.choice("--schedule", of: Schedule.Course.self) { recipe.course = course }
    if let warmup = try arguments.choice("--warmup", of: Schedule.Warmup.Kind.self) { recipe.warmup = warmup }
    if let count = try warmupEpochs(arguments, of: epochs) { recipe.warmupEpochs = count }
    if let rate = try arguments.number("--warmup-lr", in: 0...1e3) { recipe.warmupLearningRate = rate }
    if let recount = try arguments.choice("--recount", of: Recount.self) {
      (recipe.recounts, recipe.spansRest) = (recount != .no, recount == .rest ? true : nil)
    }
    if let lag = try arguments.integer("--schedule-lag", in: 0...100_000) { recipe.lag = lag == 0 ? nil : lag }
    if let count = try arguments.integer("--cooldown-epochs", in: 0...100_000) {
      recipe.cooldownEpochs = count == 0 ? nil : count
    }
    if let density = try arguments.number("--density", in: 1e-9...1) { recipe.density = density }
    if let refresh = try arguments.integer("--refresh", in: 1...1_000_000) { recipe.refresh = refresh }
    for flag in ["--density", "--refresh"] where recipe.kind != .sparseAdam && arguments.has(flag) {
      throw UsageError(flag, expected: "--optimizer sparse-adam with it", found: recipe.kind.rawValue)
    }
    guard recipe.kind == .sgd || (!arguments.has("--momentum") && !arguments.has("--nesterov")) else {
      throw UsageError("--momentum, --nesterov", expected: "--optimizer sgd with them", found: recipe.kind.rawValue)
    }
    for flag in ["--warmup-epochs", "--warmup-lr", "--recount"] where recipe.warmup == .none && arguments.has(flag) {
      throw UsageError(flag, expected: "--warmup constant or linear with it", found: "none")
    }
    guard !recipe.nesterov || recipe.momentum > 0 else {
      throw UsageError("--nesterov", expected: "a momentum above 0", found: "\(recipe.momentum)")
    }
    return recipe
  }

  /// Epochs of the warm-up: their number, or their share of all epochs in percent, to the nearest.
  private static func warmupEpochs(_ arguments: Arguments, of epochs: Int) throws(UsageError) -> Int? {
    let flag = "--warmup-epochs"
    guard let text = arguments.string(flag), text.last == "%" else {
      return try arguments.integer(flag, in: 0...100_000)
    }
    guard let percent = Int(text.dropLast()), (0...100).contains(percent) else {
      throw UsageError(flag, expected: "a number of epochs, or a share from 0% to 100%", found: "\"\(text)\"")
    }
    return (percent * epochs + 50) / 100
  }
}
