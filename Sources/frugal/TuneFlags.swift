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
    try checkHeadFlags(arguments, run.name, run.configuration.recipe)
    try arguments.checkTexts(of: run.pretrained)
    return run
  }

  /// Refuses flags of a head for a method that trains none.
  static func checkHeadFlags(_ arguments: Arguments, _ name: MethodName, _ recipe: Recipe) throws(UsageError) {
    guard !name.head.isTrained, let flag = RecipeFlags.ofHeads.first(where: { arguments.has($0) }) else { return }
    let pair = MethodName("\(name)+linear")
    // Some methods are no half of a pair.
    let example = pair.map { $0.refusal(recipe) == nil ? ", as \($0)" : "" } ?? ""
    throw UsageError(flag, expected: "a method with a head that is trained\(example)", found: "\(name)")
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
    request.seed = try arguments.integer("--seed", in: 0...Int(Int32.max))
    request.fidelity = try arguments.choice("--as", of: Fidelity.self) ?? .official
    request.benchmark = try arguments.choice("--dataset", of: Benchmark.self)
    request.templates = arguments.templates
    request.ensembling = try arguments.choice("--ensembling", of: TextEnsembling.self)
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
    try request.checkEnsembling(method, hasText: true, earlier: nil)
    request.budgets = try MethodFlags.list(arguments, method)
    try request.checkEvaluation()
    request.adjust = { try RecipeAdjustment(arguments, method).adjust(&$0) }
    // The same flags on the published recipe of other data: what is wrong with them is wrong everywhere.
    var trial = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: request.fidelity))
    try request.adjust(&trial)
    try method.check(trial)
    return request
  }

  /// Refuses settings of steps for a head that takes none.
  private static func checkSteps(_ arguments: Arguments, _ method: MethodName) throws(UsageError) {
    guard method.head.isFitted else { return }
    for flag in RecipeFlags.all.map(\.flag) where !RecipeFlags.withoutSteps.contains(flag) {
      guard arguments.has(flag) else { continue }
      throw UsageError(flag, expected: "a method that is trained step by step", found: "--method \(method)")
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
}
