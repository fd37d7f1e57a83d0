import Datasets
import Foundation
import Methods

/// Lists the settings of a training (`StatedSettings`).
struct SettingsListing {
  private(set) var rows: [StatedSettings.Row] = []
  /// As typed, and with stand-ins for model, data and folder.
  let typed: Arguments
  private let arguments: Arguments
  let request: RunRequest
  let method: MethodName
  /// What the published recipe depends on, and what it is where nothing is known of the data.
  let setting, usual: PublishedSetting
  let recipe: Recipe
  /// The settings of the run to train on top of; `nil` without one, or where there is none yet.
  private let earlier: RunConfiguration?
  /// Whether the model reads texts; true of one that is not there.
  private let hasText: Bool

  init(_ typed: Arguments) throws {
    var arguments = typed
    for (flag, standIn) in [("--model", "model"), ("--out", "run")] where !arguments.has(flag) {
      arguments = arguments.setting(flag, to: standIn)
    }
    if !arguments.has("--data"), !arguments.has("--data-list") { arguments = arguments.setting("--data", to: "data") }
    (self.typed, self.arguments) = (typed, arguments)
    request = try TuneFlags.request(arguments)
    let model = URL(fileURLWithPath: request.model)
    let isWithoutText = FileManager.default.fileExists(atPath: model.path) && !Pretrained.isCLIP(model)
    let name = try Run.method(request.method)
    earlier = request.on.flatMap { try? RunFolder(at: $0).settings() }
    hasText = !isWithoutText
    method = isWithoutText && !(earlier?.hasHead ?? false) ? name.withoutText : name
    let folder = URL(fileURLWithPath: request.data).standardizedFileURL.lastPathComponent
    let few = method.trainingProtocol == .fewShot ? 16 : nil
    let shots: Int? =
      switch request.shots {
      case .count(let count): count
      case .all: nil
      case nil: earlier.map(\.shots) ?? few
      }
    setting = PublishedSetting(
      benchmark: request.benchmark ?? Benchmark(folder: folder), shots: shots, fidelity: request.fidelity,
      classes: request.classes)
    usual = PublishedSetting(benchmark: nil, shots: few, fidelity: request.fidelity)
    recipe = try Self.recipe(request, method, setting)
    try TuneFlags.checkHeadFlags(typed, method, recipe)
    try request.checkEnsembling(method, hasText: hasText, earlier: earlier.flatMap { $0.hasHead ? $0 : nil })
    if isWithoutText { try typed.refuseTexts() }
  }

  /// What a request makes of the published recipe.
  private static func recipe(_ request: RunRequest, _ method: MethodName, _ setting: PublishedSetting) throws -> Recipe
  {
    var recipe = method.recipe(setting)
    if let budget = request.budgets.first { recipe = method.encoder.recipe(recipe, budget: budget) }
    try request.adjust(&recipe)
    if !method.head.isTrained { recipe.head = recipe.encoder }
    return recipe
  }

  /// The source of a value: the first of some flags that was given, the file with it, or what holds otherwise.
  func source(_ flags: [String], otherwise: String) -> String {
    guard let flag = flags.first(where: { typed.has($0) }) else { return otherwise }
    return typed.fromFile.contains(flag) ? typed.string("--config") ?? "--config" : flag
  }

  /// Adds a setting as its flag.
  ///
  /// - flags: those that may have set it; `nil` for that of its name.
  mutating func add(_ name: String, _ values: [String], from flags: [String]? = nil, otherwise: String = "default") {
    let source = source(flags ?? ["--\(name)"], otherwise: otherwise)
    rows.append(.init(name: name, values: values, source: source))
  }

  /// Adds what no flag can say.
  mutating func addUnset(_ name: String, _ value: String, _ source: String) {
    rows.append(.init(name: name, values: [value], source: source, isFlag: false))
  }

  /// Adds what a run on top of another has from that one, and what is open where there is none yet.
  private mutating func addInherited(_ name: String, _ value: String, otherwise: String) {
    guard request.on == nil || earlier != nil || typed.has("--\(name)") else {
      return addUnset(name, "open", Self.earlierRun)
    }
    add(name, [value], otherwise: earlier == nil ? otherwise : Self.earlierRun)
  }

  /// Adds what is only known if it was said.
  private mutating func addTyped(_ names: [String]) {
    for name in names { if let value = typed.string("--\(name)") { add(name, [value]) } }
  }

  /// Adds what is trained, on what.
  mutating func addRun() {
    addTyped(["model", "data", "data-list", "split", "out"])
    add("method", [method.description])
    addTyped(["on"])
    if let benchmark = setting.benchmark { add("dataset", [benchmark.rawValue], otherwise: "the name of the folder") }
    add("as", [request.fidelity.rawValue])
    let protocolName = method.trainingProtocol == .fewShot ? "few-shot protocol" : "protocol of all images"
    addInherited("shots", setting.shots.map { "\($0)" } ?? "all", otherwise: protocolName)
    addInherited("seed", "\(request.seed ?? earlier?.seed ?? 1)", otherwise: "default")
    let exif = request.exif ?? .usual(for: setting.benchmark)
    add("exif", [exif.rawValue], otherwise: setting.benchmark == nil ? "default" : "a published dataset")
    if method.trainingProtocol == .allImages, request.selection == nil {
      let rule = "val if the data has such a split, else last"
      addUnset("select", "open", rule)
    } else {
      add("select", [(request.selection ?? .last).rawValue])
    }
    add("classes", [request.classes.rawValue])
    let splits = request.splits ?? (request.budgets.count > 1 ? .trainAndValidation : .train)
    add("train-on", [splits.rawValue], otherwise: request.budgets.count > 1 ? "several budgets" : "default")
    add("evaluate-on", [request.evaluation.rawValue])
    addTyped(["normalize", "resize", "image-size", "heads"])
    for name in ["strict", "skip-unreadable", "force"] { add(name, [StatedSettings.word(typed.has("--\(name)"))]) }
    if hasText, method.head.needsText || method.encoder.tunesText(recipe) { addTexts() }
  }

  /// Adds what is done with texts; of a run on top of another the classifier's templates may be those of that one.
  private mutating func addTexts() {
    add("tokenizer", [request.cleaning.rawValue])
    add("truncate", [StatedSettings.word(request.truncates)])
    let own = request.templates.isEmpty ? method.templates(setting.benchmark) : request.templates
    let dataset = setting.benchmark.map { "the one of \($0.rawValue)" } ?? "default"
    let classifier = earlier.flatMap { $0.hasHead ? $0 : nil }
    let rule = classifier?.ensembling ?? request.textEnsembling(of: method)
    for (name, values, otherwise) in [
      ("template", classifier?.templates ?? own, dataset), ("ensembling", [rule.rawValue], "default"),
    ] where name == "template" || method.head.takesTextRows {
      if request.on != nil, earlier == nil, !typed.has("--\(name)") {
        addUnset(name, "open", "\(Self.earlierRun), or the default")
      } else {
        add(name, values, otherwise: classifier == nil ? otherwise : Self.earlierRun)
      }
    }
  }

  private static let earlierRun = "the run of --on"

  /// Where the defaults of the halves come from; of an encoder that stays as it is, those of the head.
  var headOrigin: String { origin(method.head.name) }
  var origin: String { method.encoder.isTrained ? origin(method.encoder.name) : headOrigin }

  private func origin(_ name: String) -> String {
    let card = MethodCard.all.first { $0.name == name }?.card.defaults ?? "default"
    return request.fidelity == .paper ? "\(card), or the paper where it differs" : card
  }

  /// The source of a published value, with what it depends on where it is another one than usual.
  func published(_ origin: String, _ value: String, usually: String?) -> String {
    let place = [setting.benchmark?.rawValue, setting.shots.map { plural($0, "shot") }].compactMap(\.self)
    return usually == value || place.isEmpty ? origin : "\(origin), for \(place.joined(separator: ", "))"
  }

  /// Whether a flag would change the training, or be refused.
  func changes(_ flag: String, to value: String) -> Bool {
    let other = try? Self.recipe(TuneFlags.request(arguments.setting(flag, to: value)), method, setting)
    return other != recipe
  }
}

extension RunConfiguration {
  /// Whether what the run leaves has a classifier of its own.
  fileprivate var hasHead: Bool { MethodName(method)?.head.isTrained ?? false || on?.hasHead ?? false }
}
