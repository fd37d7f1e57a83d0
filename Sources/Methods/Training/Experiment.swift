import Datasets
import Foundation
import Models
import Tensor

/// A run from its settings to its result: the same path for a new run and a resumed one.
public struct Experiment: Sendable {
  /// Every setting.
  public let configuration: RunConfiguration
  /// The pretrained model.
  public let pretrained: any PretrainedVision
  /// The pictures.
  public let data: TrainingData
  /// Where results go.
  public let folder: RunFolder
  /// The method's name.
  public let name: MethodName

  /// Settings, model and data that belong together.
  ///
  /// - Throws: `RunError` where they do not: another model or other pictures than the settings name, a method this
  ///   version does not know, a build that computes other bits.
  public init(
    _ configuration: RunConfiguration, _ pretrained: any PretrainedVision, _ data: TrainingData, in folder: RunFolder
  ) throws {
    guard let name = MethodName(configuration.method) else {
      throw RunError("config.json: method: expected a known one, found \"\(configuration.method)\"")
    }
    guard !name.head.needsText || pretrained.clip != nil else {
      throw RunError(
        "\(configuration.model.path): expected a model with a text encoder for \(name), found one without (a linear head "
          + "needs none: --method \(MethodName(name.encoder, .linear)))")
    }
    guard configuration.model.sha256 == pretrained.sha256 else {
      throw RunError(
        "\(configuration.model.path): expected the model of the run, SHA-256 \(configuration.model.sha256.prefix(12))…, "
          + "found \(pretrained.sha256.prefix(12))…")
    }
    guard configuration.data.sha256 == data.sha256 else {
      throw RunError(
        "\(configuration.data.path): expected the pictures of the run, found others (added, removed or renamed since)")
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
        "config.json: expected a run of this build (\(Real.self), fused: \(hasFusedMultiplyAdd)), "
          + "found one of another (\(configuration.precision), fused: \(configuration.isFused))")
    }
    (self.configuration, self.pretrained, self.data, self.folder) = (configuration, pretrained, data, folder)
    self.name = name
  }

  /// T, [classes, embedding]; `nil` where the model knows no text.
  public func textFeatures() throws -> Tensor? { try textFeatures(of: configuration.data.classes) }

  /// T of other classes, with the templates of the run.
  func textFeatures(of classes: [String]) throws -> Tensor? {
    guard let clip = pretrained.clip else { return nil }
    return try Prompts(classes: classes, templates: configuration.templates)
      .classifier(of: clip.directory, ensembling: configuration.ensembling, truncate: configuration.truncates)
  }

  /// The method of the run, on its text features.
  ///
  /// R-PMT reads the training pictures once to choose the entries it tunes, SPT some of them to measure sensitivities.
  public func method(
    textFeatures: Tensor?, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws -> Method {
    let setting = setting(textFeatures)
    return try Method(name, setting, selecting: tunedEntries) { head in try adaptations(head, setting, progress) }
  }

  private func setting(_ textFeatures: Tensor?) -> MethodSetting {
    var text: (features: Tensor, logitScale: Parameter)?
    if let textFeatures, let clip = pretrained.clip { text = (textFeatures, clip.model.logitScale) }
    return MethodSetting(
      tower: pretrained.tower, text: text, classes: configuration.data.classes.count, recipe: configuration.recipe,
      fidelity: configuration.fidelity, seed: seed)
  }

  private var seed: UInt64 { UInt64(bitPattern: Int64(configuration.seed)) }

  /// What SPT tunes: measured on pictures as they are evaluated, ranked, allocated.
  private func adaptations(
    _ head: any Head, _ setting: MethodSetting, _ progress: (_ done: Int, _ of: Int) throws -> Void
  ) throws -> [Adaptation] {
    let recipe = setting.recipe
    guard let budget = recipe.budget else { throw RunError("config.json: recipe.budget: expected one, found none") }
    let tuning = SensitivityTuning(budget.rules, setting.fidelity, branch: recipe.branch ?? Recipe.Branch())
    let headCount = head.trainables.reduce(0) { $0 + $1.initial.count }
    if budget.choice == .random {
      let sites = SensitivitySite.all(of: setting.tower)
      try SensitivitySurvey.check(budget.numbers, head: headCount, model: sites.reduce(0) { $0 + $1.count })
      let allocation = Allocation.random(
        budget.numbers, kinds: sites.map(\.kind), classToken: setting.tower.classToken?.value.count ?? 0, budget.rules,
        seed: seed)
      return tuning.adaptations(of: setting.tower, sites, allocation, Ranking(of: [], largest: 0))
    }
    let survey = try SensitivitySurvey(
      of: setting.tower, head: head, on: data.train, ImageLoader(preprocessing: pretrained.preprocessing),
      samples: budget.samples, batchSize: budget.batchSize, seed: seed, stochasticDepth: recipe.stochasticDepth ?? 0,
      progress: progress)
    let ranking = survey.ranking(upTo: budget.numbers)
    let allocation = try survey.allocation(budget, head: headCount, ranking)
    return tuning.adaptations(of: setting.tower, survey.sites, allocation, ranking)
  }

  /// The pictures to learn from. Sensitivities are measured on those of the training split alone.
  public var pictures: ImageSet {
    guard configuration.splits == .trainAndValidation, let validation = data.validation else { return data.train }
    return ImageSet(items: data.train.items + validation.items, classes: data.train.classes)
  }

  /// The loader of training pictures.
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
    let judged = configuration.selection == .test ? data.folder.test : data.validation
    return try Trainer(method, on: source, configuration, in: folder) { values in
      try judged.map {
        try Evaluation(method, values: values, on: $0, preprocessing: pretrained.preprocessing)
      }?
      .accuracy ?? 0
    }
  }

  /// The entries of all maskable weights with the largest gradients (R-PMT, spec section 8).
  private func tunedEntries(_ groups: [[Parameter]], _ head: any Head) throws -> [BitMask] {
    let loader = ImageLoader(preprocessing: pretrained.preprocessing)
    let (items, size) = (data.train.items, configuration.recipe.batchSize)
    var selection = ParameterSelection(among: groups.flatMap(\.self), of: pretrained.tower, head: head)
    for start in stride(from: 0, to: items.count, by: size) {
      let batch = items[start..<min(start + size, items.count)]
      selection.add(try loader.loadAll(batch.map { ($0.url, 0) }), labels: batch.map { Int32($0.label) })
    }
    return selection.largest(
      ParameterSelection.count(
        share: configuration.recipe.tunedShare, among: groups, of: pretrained.tower, configuration.fidelity))
  }
}
