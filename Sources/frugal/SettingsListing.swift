import Datasets
import Foundation
import Methods

/// Lists the settings of a training (`StatedSettings`).
struct SettingsListing {
  private(set) var rows: [StatedSettings.Row] = []
  /// As typed, and with stand-ins for model, data and folder.
  private let typed, arguments: Arguments
  private let request: RunRequest
  private let method: MethodName
  /// What the published recipe depends on, and what it is where nothing is known of the data.
  private let setting, usual: PublishedSetting
  private let recipe: Recipe
  /// The settings of the run to train on top of; `nil` without one, or where there is none yet.
  private let earlier: RunConfiguration?

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

  /// Where a value comes from: a flag, a file, or what holds otherwise.
  private func source(_ name: String, otherwise: String) -> String {
    let flag = "--\(name)"
    if arguments.fromFile.contains(flag) { return arguments.string("--config") ?? "--config" }
    return typed.has(flag) ? flag : otherwise
  }

  private mutating func add(_ name: String, _ values: [String], otherwise: String = "default") {
    rows.append(.init(name: name, values: values, source: source(name, otherwise: otherwise)))
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
    if request.on != nil, earlier == nil, request.shots == nil {
      rows.append(.init(name: "shots", values: ["open"], source: Self.earlierRun, isFlag: false))
    } else {
      let origin = earlier == nil ? protocolName : Self.earlierRun
      add("shots", [setting.shots.map { "\($0)" } ?? "all"], otherwise: origin)
    }
    add("seed", ["\(request.seed)"])
    let exif = request.exif ?? .usual(for: setting.benchmark)
    add("exif", [exif.rawValue], otherwise: setting.benchmark == nil ? "default" : "a published dataset")
    if method.trainingProtocol == .allImages, request.selection == nil {
      let rule = "val if the data has such a split, else last"
      rows.append(.init(name: "select", values: ["open"], source: rule, isFlag: false))
    } else {
      add("select", [(request.selection ?? .last).rawValue])
    }
    add("classes", [request.classes.rawValue])
    let splits = request.splits ?? (request.budgets.count > 1 ? .trainAndValidation : .train)
    add("train-on", [splits.rawValue], otherwise: request.budgets.count > 1 ? "several budgets" : "default")
    add("evaluate-on", [request.evaluation.rawValue])
    addTyped(["normalize", "resize", "image-size", "heads"])
    for name in ["strict", "skip-unreadable", "truncate"] where typed.has("--\(name)") { add(name, ["true"]) }
    guard method.head.needsText || method.encoder.tunesText(recipe) else { return }
    add("tokenizer", [request.cleaning.rawValue])
    if let earlier, earlier.hasHead { return add("template", earlier.templates, otherwise: Self.earlierRun) }
    let templates = request.templates.isEmpty ? method.templates(setting.benchmark) : request.templates
    add("template", templates, otherwise: setting.benchmark.map { "the one of \($0.rawValue)" } ?? "default")
  }

  private static let earlierRun = "the run of --on"

  /// Where the defaults of the halves come from; of an encoder that stays as it is, those of the head.
  private var headOrigin: String { origin(method.head.name) }
  private var origin: String { method.encoder.isTrained ? origin(method.encoder.name) : headOrigin }

  private func origin(_ name: String) -> String {
    let card = MethodCard.all.first { $0.name == name }?.card.defaults ?? "default"
    return request.fidelity == .paper ? "\(card), or the paper where it differs" : card
  }

  /// The source of a published value, with what it depends on where it is another one than usual.
  private func published(_ origin: String, _ value: String, usually: String?) -> String {
    let place = [setting.benchmark?.rawValue, setting.shots.map { plural($0, "shot") }].compactMap(\.self)
    return usually == value || place.isEmpty ? origin : "\(origin), for \(place.joined(separator: ", "))"
  }

  /// Adds the settings that every recipe has.
  mutating func addRecipe() {
    let usually = method.recipe(usual)
    for flag in RecipeFlags.all where !method.head.isFitted || RecipeFlags.withoutSteps.contains(flag.flag) {
      let name = String(flag.flag.dropFirst(2))
      guard let value = flag.value(of: recipe, method) else { continue }
      if !changes(flag.flag, to: value) {
        var origin = origin
        if case .head = flag.scope, !method.sharesOptimizer { origin = headOrigin }
        add(name, [value], otherwise: published(origin, value, usually: flag.value(of: usually, method)))
      } else if case .optimizer(let text) = flag.scope, method.encoder.isTrained, method.head.isTrained {
        // One flag sets both halves, which differ.
        let (encoder, head) = (text(recipe.encoder), text(recipe.head))
        guard encoder != head else { continue }
        rows.append(
          .init(name: name, values: [encoder, "\(head) (head)"], source: "\(origin); \(headOrigin)", isFlag: false))
      }
    }
    // A depth of 0 is another recipe than one without, though the same training.
    if recipe.stochasticDepth == nil, !method.head.isFitted {
      rows.append(.init(name: "stochastic-depth", values: ["0"], source: origin, isFlag: false))
    }
  }

  /// Whether a flag would change the training, or be refused.
  private func changes(_ flag: String, to value: String) -> Bool {
    let other = try? Self.recipe(TuneFlags.request(arguments.setting(flag, to: value)), method, setting)
    return other != recipe
  }

  /// Adds the settings of the method's halves.
  mutating func addOptions() {
    let (before, usually) = (method.recipe(setting), method.recipe(usual))
    for (options, origin) in [(method.encoder.options, origin), (method.head.options, headOrigin)] {
      for option in options {
        if let value = option.value(of: recipe, method) {
          let isPublished = option.value(of: before, method) == value
          add(
            option.name, [value],
            otherwise: published(origin, value, usually: isPublished ? option.value(of: usually, method) : value))
        } else {
          let isSwitch = if case .flag = option.values { true } else { false }
          // What the option's help says of its default.
          let told = option.help.firstMatch(of: /\(default (.*)\)$/).map { String($0.output.1) } ?? "default"
          rows.append(
            .init(name: option.name, values: [isSwitch ? "off" : "open"], source: told, isFlag: false))
        }
      }
    }
  }
}

extension RunConfiguration {
  /// Whether what the run leaves has a classifier of its own.
  fileprivate var hasHead: Bool { MethodName(method)?.head.isTrained ?? false || on?.hasHead ?? false }
}
