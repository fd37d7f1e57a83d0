import Datasets
import Foundation
import Methods
import Models
import Tensor

/// From the flags of `frugal tune` to the settings of a run.
enum RunRequest {
  /// A run that begins.
  static func new(_ arguments: Arguments) throws -> Experiment {
    var method = try method(arguments)
    let isOnSites = method.tunesSites || method.head == .linear
    let shots = try shots(arguments, default: isOnSites ? nil : 16)
    let seed = try arguments.integer("--seed", in: 0...Int(Int32.max)) ?? 1
    let fidelity = try arguments.choice("--as", of: Fidelity.self) ?? .official
    let cleaning = try arguments.choice("--tokenizer", of: TextCleaning.self) ?? .published
    let (modelPath, dataPath) = (try arguments.required("--model"), try arguments.required("--data"))
    let folder = RunFolder(URL(fileURLWithPath: try arguments.required("--out")))
    let images = try load(data: dataPath)
    let budgets = try arguments.budgets()
    let splits = try splits(arguments, budgets, images)
    let selection =
      try arguments.choice("--select", of: RunConfiguration.Selection.self)
      ?? (isOnSites && images.validation != nil && splits == .train ? .validation : .last)
    guard selection != .validation || images.validation != nil else {
      throw UsageError("--select", expected: "last, as the data has no val/CLASS/* folders", found: "\"val\"")
    }
    guard selection != .validation || splits == .train else {
      throw UsageError("--select", expected: "last, as val is trained on", found: "\"val\"")
    }
    guard selection == .last || budgets.count < 2 else {
      throw UsageError(
        "--select", expected: "last, as val chooses among several budgets", found: "\"\(selection.rawValue)\"")
    }
    let benchmark = try arguments.benchmark(images)
    let normalisation = try arguments.choice("--normalize", of: Normalisation.self)
    let classes = try classes(arguments, method)
    let data = try TrainingData(
      images, shots: shots, seed: seed, skipsUnreadable: arguments.has("--skip-unreadable"), classes: classes)
    let pretrained = try load(
      vision: modelPath, cleaning: cleaning, classes: data.folder.classNames.count, normalisation, arguments.hints())
    if pretrained.clip == nil { method = method.withoutText }
    guard classes == .all || pretrained.clip != nil else {
      throw UsageError("--classes", expected: "all, as a model without text cannot meet new classes", found: "\"base\"")
    }
    let recipe = try recipe(.published(method, benchmark: benchmark, shots: shots, as: fidelity), method, arguments)
    if recipe.budget != nil {
      let sites = SensitivitySite.all(of: pretrained.tower)
      let head = method.head == .linear ? data.folder.classNames.count * (pretrained.tower.featureWidth + 1) : 0
      let count = sites.reduce(0) { $0 + $1.count }
      for budget in budgets.isEmpty ? [recipe.budget?.numbers ?? 0] : budgets {
        try SensitivitySurvey.check(budget, head: head, model: count)
      }
    }
    if let sites = method.encoder.sites, sites.groups(of: pretrained.tower, fidelity).isEmpty {
      throw UsageError(
        "--method", expected: "one that masks weights of this model, whose image tower has no MLP", found: "\(method)")
    }
    for (encoder, role, maps) in [
      (MethodName.Encoder.lora, Site.Role.query, "query maps"), (.adapter, .mlpDown, "MLPs"),
    ] where method.encoder == encoder && !pretrained.tower.parameters.contains(where: { $0.site.role == role }) {
      throw UsageError("--method", expected: "one with sites in this model, which has no \(maps)", found: "\(method)")
    }
    // The released code of TaskRes leaves underscores in class names; that of CoOp and R-AMT does not.
    let keepsUnderscores = method.head == .taskRes && fidelity == .official
    var templates = arguments.templates(benchmark)
    if method.head == .taskRes, benchmark == .imagenet, !arguments.has("--template") {
      templates = Benchmark.imagenetTemplates
    }
    let configuration = RunConfiguration(
      method: method, fidelity: fidelity, benchmark: benchmark, shots: shots, seed: seed,
      model: .init(path: modelPath, sha256: pretrained.sha256, try arguments.hints()),
      data: .init(
        path: dataPath, classes: keepsUnderscores ? data.folder.rawClassNames : data.folder.classNames,
        newClasses: data.unseen?.classNames, sha256: data.sha256),
      templates: pretrained.clip == nil ? [] : templates, ensembling: .rawMean, cleaning: cleaning.rawValue,
      truncates: arguments.has("--truncate"), recipe: recipe, selection: selection,
      skipsUnreadable: arguments.has("--skip-unreadable"),
      normalisation: pretrained.clip == nil ? normalisation ?? .imagenet : nil, splits: splits,
      budgets: budgets.count > 1 ? budgets : nil, classes: classes == .all ? nil : classes)
    return try Experiment(configuration, pretrained, data, in: folder)
  }

  /// A run that goes on: its own settings, and the places of model and data if they have moved.
  static func resumed(_ arguments: Arguments) throws -> Experiment {
    let allowed: Set = ["--resume", "--model", "--data", "--method", "--threads", "--json"]
    if let flag = arguments.flags.subtracting(allowed).min() {
      throw UsageError("\(flag): expected no such flag with --resume: the settings of the run hold")
    }
    let folder = RunFolder(URL(fileURLWithPath: try arguments.required("--resume")))
    let settings = try folder.settings()
    if arguments.has("--method"), try method(arguments).description != settings.method {
      throw UsageError(
        "--method", expected: "that of the run, \(settings.method)", found: try method(arguments).description)
    }
    let cleaning = TextCleaning(rawValue: settings.cleaning) ?? .published
    let images = try load(data: arguments.string("--data") ?? settings.data.path)
    let data = try TrainingData(
      images, shots: settings.shots, seed: settings.seed, skipsUnreadable: settings.skipsUnreadable,
      classes: settings.classes ?? .all)
    let pretrained = try load(
      vision: arguments.string("--model") ?? settings.model.path, cleaning: cleaning,
      classes: settings.data.classes.count, settings.normalisation, settings.model.hints)
    return try Experiment(settings, pretrained, data, in: folder)
  }

  /// The classes to learn: all, or the base ones with a method whose delta goes with others, too.
  private static func classes(_ arguments: Arguments, _ method: MethodName) throws(UsageError) -> ClassPart {
    let classes = try arguments.choice("--classes", of: ClassPart.self) ?? .all
    guard classes != .new else {
      throw UsageError("--classes", expected: "all or base, as new classes are not learned from", found: "\"new\"")
    }
    guard classes == .all || method.canMeetNewClasses else {
      throw UsageError(
        "--classes", expected: "all, as what \(method) learns belongs to the classes it saw", found: "\"base\"")
    }
    return classes
  }

  /// The pictures to learn from: train, or what `--train-on` or several budgets ask for, if the data has it.
  private static func splits(
    _ arguments: Arguments, _ budgets: [Int], _ images: ImageFolder
  ) throws(UsageError) -> RunConfiguration.Splits {
    let asked = try arguments.choice("--train-on", of: RunConfiguration.Splits.self)
    guard budgets.count > 1 || asked == .trainAndValidation else { return .train }
    let (flag, without) = budgets.count > 1 ? ("--budget", "one number") : ("--train-on", "train")
    guard images.validation != nil else {
      throw UsageError(
        flag, expected: "\(without), as the data has no val/CLASS/* folders",
        found: "\"\(arguments.string(flag) ?? "")\"")
    }
    guard asked != .train else {
      throw UsageError(
        "--train-on", expected: "train+val, as several budgets are compared on val first", found: "\"train\"")
    }
    return .trainAndValidation
  }

  private static func method(_ arguments: Arguments) throws(UsageError) -> MethodName {
    let text = try arguments.required("--method")
    guard let method = MethodName(text), method.isTrained else {
      if text == MethodName.Head.zeroShot.rawValue {
        throw UsageError("--method: expected one that trains, found \"zero-shot\" (frugal evaluate does that)")
      }
      let known = MethodName.parts
      throw UsageError(
        "--method: expected \(known.joined(separator: ", ")), found \"\(text)\"\(suggestion(for: text, among: known))")
    }
    return method
  }

  private static func shots(_ arguments: Arguments, default usual: Int?) throws(UsageError) -> Int? {
    guard arguments.string("--shots") != "all" else { return nil }
    guard let text = arguments.string("--shots") else { return usual }
    guard let shots = Int(text), shots > 0, shots <= 1_000_000 else {
      throw UsageError("--shots", expected: "a whole number from 1, or all", found: "\"\(text)\"")
    }
    return shots
  }

  /// The published recipe with what the flags change.
  private static func recipe(
    _ published: Recipe, _ method: MethodName, _ arguments: Arguments
  ) throws(UsageError) -> Recipe {
    try refuseForeignFlags(method, arguments)
    if arguments.has("--shift"), arguments.string("--crop") == Crop.random.rawValue {
      throw UsageError("--shift", expected: "no random crops beside it", found: "--crop random")
    }
    var recipe = published
    if let epochs = try arguments.integer("--epochs", in: 1...100_000) { recipe.epochs = epochs }
    if let batch = try arguments.integer("--batch", in: 1...65_536) { recipe.batchSize = batch }
    if let crop = try arguments.choice("--crop", of: Crop.self) { recipe.augments = crop == .random }
    if let shift = try arguments.integer("--shift", in: 1...64) { (recipe.shift, recipe.augments) = (shift, false) }
    if let lambda = try arguments.number("--lambda", in: 0...1) { recipe.lambda = lambda }
    if let weight = try arguments.number("--norm-weight", in: 0...1e6) { recipe.normWeight = weight }
    if let share = try arguments.number("--tuned-share", in: 0...1) { recipe.tunedShare = share }
    if let alpha = try arguments.number("--alpha", in: -1e6...1e6) { recipe.alpha = alpha }
    try SiteFlags.apply(arguments, to: &recipe, method)
    recipe.encoder = try optimizer(recipe.encoder, arguments)
    recipe.head = try optimizer(recipe.head, arguments)
    return recipe
  }

  private enum Crop: String, CaseIterable { case random, center }
  private enum Recount: String, CaseIterable { case yes, no }

  private static func optimizer(
    _ published: OptimizerRecipe, _ arguments: Arguments
  ) throws(UsageError) -> OptimizerRecipe {
    var recipe = published
    if let kind = try arguments.choice("--optimizer", of: OptimizerRecipe.Kind.self) { recipe.kind = kind }
    if let rate = try arguments.number("--lr", in: 0...1e3) { recipe.learningRate = rate }
    if let decay = try arguments.number("--weight-decay", in: 0...1e3) { recipe.weightDecay = decay }
    if let momentum = try arguments.number("--momentum", in: 0...0.9999) { recipe.momentum = momentum }
    if arguments.has("--nesterov") { recipe.nesterov = true }
    if let course = try arguments.choice("--schedule", of: OptimizerRecipe.Course.self) { recipe.course = course }
    if let warmup = try arguments.choice("--warmup", of: OptimizerRecipe.Warmup.self) { recipe.warmup = warmup }
    if let epochs = try arguments.integer("--warmup-epochs", in: 0...100_000) { recipe.warmupEpochs = epochs }
    if let rate = try arguments.number("--warmup-lr", in: 0...1e3) { recipe.warmupLearningRate = rate }
    if let recount = try arguments.choice("--recount", of: Recount.self) { recipe.recounts = recount == .yes }
    guard recipe.kind == .sgd || (!arguments.has("--momentum") && !arguments.has("--nesterov")) else {
      throw UsageError("--momentum, --nesterov", expected: "--optimizer sgd beside them", found: recipe.kind.rawValue)
    }
    for flag in ["--warmup-epochs", "--warmup-lr", "--recount"] where recipe.warmup == .none && arguments.has(flag) {
      throw UsageError(flag, expected: "--warmup constant or linear beside it", found: "none")
    }
    guard !recipe.nesterov || recipe.momentum > 0 else {
      throw UsageError("--nesterov", expected: "a momentum above 0", found: "\(recipe.momentum)")
    }
    return recipe
  }

  /// A flag that the method would not read is a mistake of the user's, not to be passed over.
  private static func refuseForeignFlags(_ method: MethodName, _ arguments: Arguments) throws(UsageError) {
    let masks = "a mask tuning method (r-amt, r-mmt, r-mt, r-pmt)"
    for (flag, isRead, reader) in [
      ("--lambda", method.encoder.sites != nil && method.encoder != .maskTuning, masks),
      ("--norm-weight", method.encoder.sites != nil, "a mask tuning method"),
      ("--tuned-share", method.encoder == .rpmt, "r-pmt"), ("--alpha", method.head == .taskRes, "task-res"),
    ] + SiteFlags.readers(method) where arguments.has(flag) && !isRead {
      throw UsageError(flag, expected: "\(reader) to read it", found: "--method \(method)")
    }
    if method.encoder == .rpmt, let decay = try arguments.number("--weight-decay", in: 0...1e3), decay > 0 {
      throw UsageError(
        "--weight-decay", expected: "0 with r-pmt: masks that are not tuned must stay", found: "\(decay)")
    }
  }
}
