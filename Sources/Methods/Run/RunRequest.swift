import Datasets
import Formats
import Foundation
import Models
import Tensor

/// What a user asks of a run: a method, a model, data, and whatever is not left to the published settings.
///
/// What is `nil` follows from method, dataset and number of images, as the papers have it.
public struct RunRequest: Sendable {
  /// The method's name, as `MethodName` reads it: `linear`, `lora+linear`, …
  public var method: String
  /// The path of a CLIP directory, or of an image classifier.
  public var model: String
  /// The path of an image folder.
  public var data: String
  /// The path of a list of its images, with a path, a label and a split each.
  public var dataList: String?
  /// How images without splits are divided; its seed is that of the run.
  public var drawnSplit: DrawnSplit?
  /// The folder of a finished run on top of whose result is trained; `nil` for the pretrained model.
  public var on: String?
  /// Images per class; of a run on top of another as many as that had.
  public var shots: Shots?
  /// Whether a class with fewer images than shots is refused, instead of giving all it has.
  public var isStrict = false
  /// The seed of sampling, order, crops and random rules; of a run on top of another that of it, else 1.
  public var seed: Int?
  /// Whether the authors' code or the paper is followed where they differ.
  public var fidelity = Fidelity.official
  /// The published dataset that the data is; inferred from the folder's name.
  public var benchmark: Benchmark?
  /// The prompts' templates.
  public var templates: [String] = []
  /// The rule that combines the text features of several templates; `nil` for that of the method.
  public var ensembling: TextEnsembling?
  /// How texts are cleaned before they become tokens.
  public var cleaning = TextCleaning.published
  /// Whether prompts that are too long are cut.
  public var truncates = false
  /// The constants that images are normalised with, for an image classifier.
  public var normalization: Normalization?
  /// The way of resizing the images of a classifier; `nil` for `direct`.
  public var resizing: Resizing?
  /// The treatment of photos that do not stand upright; `nil` for `rotate`, or `ignore` with a published dataset.
  public var exif: EXIFRotation?
  /// What an image classifier's files do not say.
  public var hints = BackboneHints()
  /// The classes to learn.
  public var classes = ClassPart.all
  /// Which epoch becomes the delta.
  public var selection: RunConfiguration.Selection?
  /// The images to learn from.
  public var splits: RunConfiguration.Splits?
  /// The split that the run ends with: on the validation split it is a candidate, and no test image is read.
  public var evaluation = RunConfiguration.EvaluatedSplit.test
  /// Budgets of which the best on the validation split is kept; at most one is no search.
  public var budgets: [Int] = []
  /// Whether images that cannot be read are left out.
  public var skipsUnreadable = false
  /// Whether a run begins that cannot change anything (`RunObstacle`).
  public var isForced = false
  /// Changes the published recipe.
  public var adjust: @Sendable (inout Recipe) throws -> Void = { _ in }

  /// Images per class.
  public enum Shots: Sendable, Equatable {
    /// A number of images, drawn with the seed.
    case count(Int)
    /// All images.
    case all
  }

  /// A request with everything else as published.
  public init(method: String, model: String, data: String) {
    (self.method, self.model, self.data) = (method, model, data)
  }
}

extension Run {
  /// A new run; reads model and data, writes nothing.
  ///
  /// - Throws: `SettingError` for settings that do not fit each other, the model or the data; the errors of both.
  public init(_ request: RunRequest, in folder: RunFolder) throws { try self.init(request, in: folder, nil) }

  /// The same before those who see which images are sampled, and may replace them.
  package init(_ request: RunRequest, in folder: RunFolder, _ draws: RunDraws?) throws {
    let started = Date()
    var name = try Self.method(request.method)
    let earlier = try request.earlierRun()
    let seed = request.seed ?? earlier?.settings.seed ?? 1
    let split = request.drawnSplit?.drawn(by: seed)
    let images = try ImageFolder(
      contentsOf: URL(fileURLWithPath: request.data), drawing: split,
      list: request.dataList.map { URL(fileURLWithPath: $0) })
    let splits = try Self.splits(request, images)
    let selection = try Self.selection(request, name, images, splits)
    try request.checkEvaluation(hasValidation: images.validation != nil)
    let shots: Int? =
      switch request.shots {
      case .count(let count): count
      case .all: nil
      case nil: earlier.map { $0.settings.shots } ?? (name.trainingProtocol == .allImages ? nil : 16)
      }
    guard shots != nil || !request.isStrict else {
      throw SettingError("strict", expected: "a number of shots with it", found: "all images")
    }
    let benchmark = request.benchmark ?? Benchmark(folder: images.root.lastPathComponent)
    let exif = request.exif ?? .usual(for: benchmark)
    let data = try TrainingData(
      images, shots: shots, seed: seed, skipsUnreadable: request.skipsUnreadable, classes: request.classes,
      isStrict: request.isStrict, draws)
    let (pretrained, opened) = try FileReads.recorded {
      try Pretrained.model(
        at: request.model, cleaning: request.cleaning, classes: data.folder.classNames.count,
        ImageRequest(normalization: request.normalization, resizing: request.resizing, exif: exif), request.hints)
    }
    let on = try earlier.map { try EarlierRun.opened(request.on ?? "", $0.folder, on: pretrained) }
    if pretrained.clip == nil, !(on?.record.hasHead ?? false) { name = name.withoutText }
    guard request.classes == .all || pretrained.clip != nil else {
      throw SettingError(
        "classes", expected: "all, as new classes need a text encoder",
        found: "\"\(request.classes.rawValue)\"")
    }
    var recipe = name.recipe(
      PublishedSetting(benchmark: benchmark, shots: shots, fidelity: request.fidelity, classes: request.classes))
    if let budget = request.budgets.first { recipe = name.encoder.recipe(recipe, budget: budget) }
    try request.adjust(&recipe)
    let count = data.train.count + (splits == .trainAndValidation ? data.validation?.count ?? 0 : 0)
    try Self.check(request.classes, name, recipe)
    if recipe.steps != nil { recipe.epochs = recipe.epochs(images: count) }
    // Nothing reads the optimiser of a head that trains nothing; it is that of the encoder.
    if !name.head.isTrained { recipe.head = recipe.encoder }
    recipe = try name.encoder.completed(recipe, budgets: request.budgets, on: pretrained)
    guard pretrained.clip != nil || !name.encoder.tunesText(recipe) else {
      throw SettingError(
        "method", expected: "one without a text tower, as the model has none", found: "\(name.encoder.name)")
    }
    try name.check(recipe)
    for budget in request.budgets.isEmpty ? [nil] : request.budgets.map(Optional.some) {
      let own = budget.map { name.encoder.recipe(recipe, budget: $0) } ?? recipe
      try name.encoder.check(pretrained.tower, own, request.fidelity)
    }
    let hasText = pretrained.clip != nil
    // The classifier of an earlier run is made of its own texts.
    let texts = on?.record.hasHead ?? false ? earlier?.settings : nil
    guard texts == nil || request.templates.isEmpty || request.templates == texts?.templates else {
      throw SettingError(
        "template", expected: "those of the run it is trained on, whose classifier it has",
        found: "\"\(request.templates.joined(separator: "\", \""))\"")
    }
    try request.checkEnsembling(name, hasText: hasText, earlier: texts)
    let classNames =
      name.head.keepsUnderscores(request.fidelity) ? data.folder.rawClassNames : data.folder.classNames
    var configuration = RunConfiguration(
      method: name, fidelity: request.fidelity, benchmark: benchmark, shots: shots, seed: seed,
      model: .init(path: request.model, sha256: pretrained.sha256, request.hints, images: pretrained.images),
      data: .init(
        path: request.data, classes: texts?.data.classes ?? classNames, newClasses: data.unseen?.classNames,
        sha256: data.sha256,
        testSHA256: data.testSHA256, list: request.dataList, split: split),
      templates: !hasText
        ? [] : texts?.templates ?? (request.templates.isEmpty ? name.templates(benchmark) : request.templates),
      ensembling: texts?.ensembling ?? request.textEnsembling(of: name),
      cleaning: request.cleaning.rawValue, truncates: request.truncates, recipe: recipe,
      selection: selection, skipsUnreadable: request.skipsUnreadable,
      normalization: hasText || pretrained.images != nil ? nil : request.normalization ?? .imagenet, splits: splits,
      budgets: request.budgets.count > 1 ? request.budgets : nil,
      classes: request.classes == .all ? nil : request.classes, exif: exif,
      evaluation: request.evaluation)
    if let earlier, let on {
      try configuration.checkFit(on: earlier.settings, named: [data.folder.classNames, data.folder.rawClassNames])
      try name.check(on: on.head, on.record, recipe)
      configuration.on = on.record
    }
    try self.init(configuration, pretrained, data, in: folder, on: on?.base)
    notes = images.notes + data.notes + (earlier?.folder.notesOnTop ?? [])
    inputs = RunInputs(model: opened, data, readsTest: request.evaluation == .test)
    modelFiles = opened
    isForced = request.isForced
    setupSeconds = max(0, Date().timeIntervalSince(started))
  }

  /// A run that was stopped, with its own settings; model and data may have moved.
  ///
  /// - Throws: `RunError` for a folder without a run, and where model or data are not those of the run; `MissingPath`
  ///   where they are not found; their errors; `FileError` while another process is at work in the folder.
  public init(
    resuming folder: RunFolder, model: String? = nil, data: String? = nil, dataList: String? = nil
  ) throws {
    let started = Date()
    let settings = try folder.settings()
    try FolderLock.requireFree(folder.url)
    let data = try data ?? folder.located(.images, settings)
    let list = try dataList ?? settings.data.list.map { _ in try folder.located(.list, settings) }
    let images = try ImageFolder(
      contentsOf: URL(fileURLWithPath: data), drawing: settings.data.split,
      list: list.map { URL(fileURLWithPath: $0) })
    let drawn = try TrainingData(
      images, shots: settings.shots, seed: settings.seed, skipsUnreadable: settings.skipsUnreadable,
      classes: settings.classes ?? .all)
    let place = try model ?? folder.located(.model, settings)
    let (pretrained, opened) = try FileReads.recorded {
      try Pretrained.model(
        at: place, cleaning: TextCleaning(rawValue: settings.cleaning) ?? .published,
        classes: settings.data.classes.count,
        ImageRequest(normalization: settings.normalization, exif: settings.exif ?? .ignore)
          .known(settings.model.images),
        settings.model.hints)
    }
    let inputs = RunInputs(model: opened, drawn, readsTest: settings.evaluation != .validation)
    let warnings = try folder.check(inputs)
    try folder.checkSplit(of: drawn)
    try self.init(settings, pretrained, drawn, in: folder)
    self.inputs = inputs
    modelFiles = opened
    notes = images.notes + drawn.notes + warnings
    setupSeconds = max(0, Date().timeIntervalSince(started))
  }

  /// The method of a name, if it trains something.
  ///
  /// - Throws: `SettingError` for a name that is none, and for one that trains nothing.
  package static func method(_ text: String) throws(SettingError) -> MethodName {
    let name = try MethodName(parts: text)
    guard name.isTrained else {
      throw SettingError("method", expected: "one that trains", found: "\"\(text)\", which is evaluated as it is")
    }
    if let refusal = name.refusal {
      throw SettingError("method", expected: "\(refusal.alone) alone, as \(refusal.reason)", found: "\"\(text)\"")
    }
    return name
  }

  /// The classes to train on: all, or the base ones with a method whose delta also works with other classes.
  private static func check(_ classes: ClassPart, _ name: MethodName, _ recipe: Recipe) throws(SettingError) {
    guard classes != .new else {
      throw SettingError("classes", expected: "all or base, as new classes are not trained on", found: "\"new\"")
    }
    guard classes == .all || name.head.meetsNewClasses(recipe) else {
      throw SettingError(
        "classes", expected: "all, as \(name) learns only the classes it is trained on", found: "\"base\"")
    }
  }

  /// The images to learn from: train, or both splits where that is asked for or budgets are compared.
  private static func splits(
    _ request: RunRequest, _ images: ImageFolder
  ) throws(SettingError) -> RunConfiguration.Splits {
    let searches = request.budgets.count > 1
    guard searches || request.splits == .trainAndValidation else { return .train }
    guard images.validation != nil else {
      throw SettingError(
        searches ? "budget" : "train-on",
        expected: "\(searches ? "one budget" : "train"), as the data has no val/CLASS/* folders",
        found: searches
          ? request.budgets.map { "\($0)" }.joined(separator: ",") : RunConfiguration.Splits.trainAndValidation.rawValue
      )
    }
    guard request.splits != .train else {
      throw SettingError(
        "train-on", expected: "train+val, as several budgets are compared on val first", found: "\"train\"")
    }
    return .trainAndValidation
  }

  /// The epoch that becomes the delta: that of the published protocol unless another is asked for.
  private static func selection(
    _ request: RunRequest, _ name: MethodName, _ images: ImageFolder, _ splits: RunConfiguration.Splits
  ) throws(SettingError) -> RunConfiguration.Selection {
    let usual: RunConfiguration.Selection =
      name.trainingProtocol == .allImages && images.validation != nil && splits == .train ? .validation : .last
    let selection = request.selection ?? usual
    func refuse(_ reason: String) -> SettingError {
      SettingError("select", expected: "last, as \(reason)", found: "\"\(selection.rawValue)\"")
    }
    guard selection != .validation || images.validation != nil else {
      throw refuse("the data has no val/CLASS/* folders")
    }
    guard selection != .validation || splits == .train else { throw refuse("val is trained on") }
    guard selection == .last || request.budgets.count < 2 else {
      throw refuse("val chooses among several budgets")
    }
    return selection
  }
}
