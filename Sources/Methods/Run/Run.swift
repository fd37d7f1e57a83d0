import Datasets
import Formats
import Foundation
import Models
import Tensor

/// A run from its settings to its result: the same path for a new run and a resumed one.
///
///     let request = RunRequest(method: "linear", model: "clip", data: "photos")
///     let result = try Run(request, in: RunFolder(at: "runs/a")).train()
///
/// Nothing is written before texts, images and settings have been found to fit; the test split is read once, at the
/// end.
public struct Run: Sendable {
  /// Every setting.
  public let configuration: RunConfiguration
  /// The pretrained model.
  public let pretrained: any PretrainedModel
  /// The images.
  public let data: TrainingData
  /// Where results go.
  public let folder: RunFolder
  /// The method's name.
  public let name: MethodName
  /// The earlier run's result on top of which it is trained; `nil` for the pretrained model.
  let base: RunBase?
  /// What a user should know about the data.
  public internal(set) var notes: [String] = []
  /// The words of the command that begins it, after the program's name, which its folder records; `nil` for none.
  public var command: [String]?
  /// What the card of its delta tells the reader to type; `nil` for nothing.
  public var cardCommands: CardCommands?
  /// Where features of the frozen encoder are kept for other runs, and found; `nil`, for none, unless a caller says
  /// otherwise.
  public var featureCache: FeatureCache?
  /// All files that were opened to read its model; `nil` where that is not known.
  var modelFiles: [URL]?
  /// The files that decide its numbers, which its folder records; `nil` where another folder does.
  var inputs: RunInputs?
  /// Whether it begins although it cannot change anything; it does where nobody asked for a new run.
  var isForced = true
  /// The values at the end of the training that its head is built on; `nil` without one, and before it.
  var baseValues: [Tensor]?
  /// The seconds that reading model and data took.
  var setupSeconds = 0.0

  /// Settings, model and data that belong together.
  ///
  /// - Throws: `RunError` where they do not: another model or other images than the settings name, a method this
  ///   version does not know, a build that computes other bits.
  public init(
    _ configuration: RunConfiguration, _ pretrained: any PretrainedModel, _ data: TrainingData, in folder: RunFolder
  ) throws { try self.init(configuration, pretrained, data, in: folder, on: nil) }

  /// The same with the result of an earlier run, where that was read already.
  init(
    _ configuration: RunConfiguration, _ pretrained: any PretrainedModel, _ data: TrainingData, in folder: RunFolder,
    on known: RunBase?
  ) throws {
    guard let name = MethodName(configuration.method) else {
      throw RunError(
        "\(folder.configuration.shown): method: expected a known one, found \"\(configuration.method)\"")
    }
    let hasHead = !name.head.isTrained && configuration.on?.hasHead ?? false
    guard !(name.head.needsText && !hasHead || name.encoder.tunesText(configuration.recipe)) || pretrained.clip != nil
    else {
      throw RunError(
        "\(configuration.model.path): expected a model with a text encoder for \(name), found one without "
          + "(the method \(MethodName(name.encoder, LinearMethod())) needs none)")
    }
    guard configuration.model.sha256 == pretrained.sha256 else {
      throw RunError(
        "\(configuration.model.path): expected the model of the run, "
          + "SHA-256 \(configuration.model.sha256.prefix(12))…, found \(pretrained.sha256.prefix(12))…")
    }
    guard configuration.data.sha256 == data.sha256 else {
      throw RunError(
        "\(data.folder.root.shown): expected the images of the run, found others (added, removed or renamed since)")
    }
    guard configuration.data.testSHA256 == nil || configuration.data.testSHA256 == data.testSHA256 else {
      throw RunError(
        "\(data.folder.root.shown): expected the test images of the run, found others (added, removed or renamed "
          + "since)")
    }
    // A label without a class would be an index out of range.
    let labels = (data.train.items + (data.validation?.items ?? []) + data.folder.test.items).map(\.label).max() ?? -1
    guard configuration.data.classes.count == data.folder.classNames.count, labels < configuration.data.classes.count
    else {
      throw RunError(
        "\(folder.configuration.shown): data.classes: expected the names of the \(data.folder.classNames.count) "
          + "classes of \(configuration.data.path), found \(configuration.data.classes.count)")
    }
    guard configuration.data.newClasses?.count == data.unseen?.folders.count else {
      throw RunError(
        "\(configuration.data.path): expected \(configuration.data.newClasses?.count ?? 0) new classes, found "
          + "\(data.unseen?.folders.count ?? 0)")
    }
    guard configuration.splits != .trainAndValidation || data.validation != nil else {
      throw RunError("\(configuration.data.path): expected a validation split to train on, found none")
    }
    guard configuration.precision == "\(Real.self)", configuration.isFused == hasFusedMultiplyAdd else {
      throw RunError(
        "\(folder.configuration.shown): expected a run of this build (\(Real.self), fused: \(hasFusedMultiplyAdd)), "
          + "found one of another (\(configuration.precision), fused: \(configuration.isFused))")
    }
    (self.configuration, self.pretrained, self.data, self.folder) = (configuration, pretrained, data, folder)
    self.name = name
    base = try known ?? configuration.on.map { try RunBase($0, of: folder, on: pretrained) }
  }

  /// The image tower that is frozen or tuned: as it came, or as an earlier run left it.
  var tower: any ImageTower { base?.tower ?? pretrained.tower }

  /// T, [classes, embedding]; `nil` if the model has no text encoder.
  public func textFeatures() throws -> Tensor? { try textFeatures(of: configuration.data.classes, nil) }

  /// T of some classes, with the templates of the run.
  ///
  /// - shelf: features of texts that are known; asPretrained: whether by the text tower as it came, whatever an earlier
  ///   run made of it.
  func textFeatures(
    of classes: [String], _ shelf: FeatureShelf?, asPretrained: Bool = false
  ) throws -> Tensor? {
    guard let clip = pretrained.clip else { return nil }
    let prompts = try Prompts(classes: classes, templates: configuration.templates)
    let pass = asPretrained ? Pass() : base?.pass ?? Pass()
    func encode(_ texts: [String]) throws -> Tensor {
      try clip.directory.textFeatures(texts, truncate: configuration.truncates, pass)
    }
    let features = try shelf?.features(of: prompts.texts, encode: encode) ?? encode(prompts.texts)
    return prompts.classifier(of: features, ensembling: configuration.ensembling)
  }

  /// The method of the run, on its text features; it may look at images of the training split first.
  public func method(
    textFeatures: Tensor?, progress: @escaping (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws -> Method { try method(textFeatures: textFeatures, nil, progress: progress) }

  /// The same before those who see what it chooses, and may replace it.
  package func method(
    textFeatures: Tensor?, _ draws: RunDraws?,
    progress: @escaping (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws -> Method { try method(textFeatures: textFeatures, draws, features: nil, progress: progress) }

  /// The same with known features of the frozen encoder.
  func method(
    textFeatures: Tensor?, _ draws: RunDraws?, features: FeatureShelf?,
    progress: @escaping (_ done: Int, _ of: Int) throws -> Void
  ) throws -> Method {
    let loader = ImageLoader(preprocessing: pretrained.preprocessing)
    var choosing = ChoiceData(
      data.train, loader, training: (images, self.loader), draws: draws, progress: progress)
    choosing.features = features
    return try Method(name, setting(textFeatures), choosing: choosing)
  }

  /// What the method is made for.
  ///
  /// - classes: those of `textFeatures`; `nil` for those of the run.
  /// - Throws: `TokenizerError` for a prompt that is too long for a text tower that is tuned.
  func setting(_ textFeatures: Tensor?, classes: [String]? = nil) throws -> MethodSetting {
    let classes = classes ?? configuration.data.classes
    var text: (features: Tensor, logitScale: Parameter)?
    if let textFeatures, let clip = pretrained.clip { text = (textFeatures, clip.model.logitScale) }
    let prompts = pretrained.clip.map { PromptEncoder($0.directory, tower: base?.text, classes: classes) }
    let earlierHead = try base?.head(text, prompts)
    // A new head has the rows of the earlier classifier in place of the text features.
    if name.head.isTrained, let rows = earlierHead?.rows([]) { text?.features = rows }
    var setting = MethodSetting(
      tower: tower, text: text, classes: classes.count, recipe: configuration.recipe, fidelity: configuration.fidelity,
      seed: seed, prompts: prompts)
    setting.earlierHead = earlierHead
    setting.base = baseValues
    if name.encoder.tunesText(configuration.recipe) || name.head.readsTexts(configuration.recipe) {
      setting.texts = try texts(of: classes)
    }
    return setting
  }

  /// The prompts of some classes, for a text tower that is tuned; `nil` for a model without one.
  func texts(of classes: [String]) throws -> ClassTexts? {
    let prompts = try Prompts(classes: classes, templates: configuration.templates)
    return try pretrained.clip.map {
      try ClassTexts(
        $0.directory, base?.text ?? $0.model.text, prompts, ensembling: configuration.ensembling,
        truncate: configuration.truncates)
    }
  }

  private var seed: UInt64 { UInt64(bitPattern: Int64(configuration.seed)) }

  /// The images to learn from.
  public var images: ImageSet {
    guard configuration.splits == .trainAndValidation, let validation = data.validation else { return data.train }
    return ImageSet(items: data.train.items + validation.items, classes: data.train.classes)
  }

  /// The loader of training images.
  public var loader: ImageLoader {
    let recipe = configuration.recipe
    guard recipe.augments else {
      let shift = recipe.shift.map { ImageLoader.Transform.shifted(RandomShift(pixels: $0), seed: seed) }
      return ImageLoader(preprocessing: pretrained.preprocessing, transform: shift ?? .evaluation)
    }
    let (height, width) = pretrained.preprocessing.outputSize
    let crop = RandomResizedCrop(
      height: height, width: width, scale: recipe.smallestCrop...1, resample: pretrained.preprocessing.resample)
    return ImageLoader(
      preprocessing: pretrained.preprocessing,
      transform: .training(crop, seed: seed))
  }

  /// The training loop, set up.
  public func trainer(_ method: Method, on source: TrainingSource) throws -> Trainer {
    try trainer(method, on: source, nil, RunClock())
  }

  func trainer(
    _ method: Method, on source: TrainingSource, _ shelf: FeatureShelf?, _ clock: RunClock
  ) throws -> Trainer {
    let judged = configuration.selection == .test ? data.folder.test : data.validation
    let validation = judged.map { EpochValidation($0, pretrained.preprocessing, shelf, clock) }
    var trainer = try Trainer(method, on: source, configuration, in: folder) { values in
      try validation?.accuracy(method, values: values) ?? 0
    }
    trainer.clock = clock
    return trainer
  }
}
