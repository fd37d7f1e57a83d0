import Datasets
import Formats
import Foundation
import Models
import Tensor

extension Run {
  /// The tuned and the frozen model on the test images of some classes.
  private struct Comparison {
    let set: ImageSet
    let tuned: Evaluation
    let frozen: Evaluation?
  }

  /// Writes the delta, then reads the test split for the first and only time and writes predictions, card and
  /// result.
  ///
  /// - budgets: those from which the run's own was selected, if any.
  func finish(_ trained: TrainedRun, budgets: [BudgetSearch.Score]?, _ watch: RunWatch) throws -> RunResult {
    let (chosen, textFeatures) = (trained.chosen, trained.textFeatures)
    guard trained.run.configuration == configuration else {
      return try trained.run.finish(trained, budgets: budgets, watch)
    }
    Workload.returnMemory()
    let (method, choices) = try settled(trained.method, chosen.values, watch)
    let encoderValues = method.split(chosen.values).encoder
    let delta = try delta(method, chosen.values)
    try delta.write(to: folder.delta)
    let before = try untunedFeatures(textFeatures, of: configuration.data.classes, watch)
    let judged = (method: trained.method, epoch: chosen.epoch)
    let learned = try comparison(on: data.folder.test, method, chosen.values, of: judged, textFeatures: before, watch)
    var predictions = Prediction.all(of: learned.set, tuned: learned.tuned, zeroShot: learned.frozen)
    var newClasses: RunResult.NewClasses?
    if let unseen = data.unseen, let names = configuration.data.newClasses,
      let features = try self.textFeatures(of: names, watch.features?.texts)
    {
      let head = try self.head(meeting: names, features, method.split(chosen.values).head)
      let found = try comparison(
        on: unseen.test, Method(encoder: method.encoder, head: head, tower: method.tower), encoderValues, of: judged,
        textFeatures: untunedFeatures(features, of: names, watch), watch)
      predictions += Prediction.all(
        of: found.set, tuned: found.tuned, zeroShot: found.frozen, firstLabel: configuration.data.classes.count)
      newClasses = found.frozen.map { .init(test: .init(found.tuned), zeroShot: .init($0)) }
    }
    try folder.writePredictions(predictions)
    watch.clock.count(reused: watch.features?.reused ?? 0)
    try watch.clock.write()
    let shares = method.encoder.shares(encoderValues)
    let result = RunResult(
      method: configuration.methodTitle, epoch: chosen.epoch, reason: chosen.reason, selection: configuration.selection,
      test: .init(learned.tuned), zeroShot: learned.frozen.map { .init($0) }, newClasses: newClasses,
      harmonicMean: newClasses.map { RunResult.harmonicMean(learned.tuned.accuracy, $0.test.accuracy) },
      validationAccuracy: chosen.validationAccuracy,
      trainedParameters: method.trainedCount, encoderParameters: method.encoderTrainedCount,
      changedParameters: method.encoder.changedCount(encoderValues),
      deltaBytes: try SafeTensorsFile(contentsOf: folder.delta).byteCount,
      budget: name.encoder.budget(of: configuration.recipe), divergence: try divergence, budgets: budgets,
      shares: Dictionary(uniqueKeysWithValues: shares.map { ($0.name, $0.percent) }),
      choices: choices.isEmpty ? nil : choices,
      masks: delta.masks.isEmpty ? nil : delta.masks.mapValues { .init($0) })
    let card = ModelCard(
      delta.description, base: configuration.model.path, folder.origin(configuration, result), commands: cardCommands)
    try AtomicFile.write(Array(card.text.utf8), to: folder.card)
    try folder.writeResult(result)
    return result
  }

  /// The head for classes that were not seen in training, with what it has learned.
  ///
  /// - values: of its tensors; none for those at its start.
  /// - Throws: as `HeadMethod.head` does.
  func head(meeting classes: [String], _ textFeatures: Tensor, _ values: [Tensor]) throws -> any Head {
    // A tuned text tower encodes their prompts, whatever was learned for the other classes.
    if name.encoder.tunesText(configuration.recipe), let clip = pretrained.clip, let texts = try texts(of: classes) {
      return EncodedTexts(texts: texts, logitScale: clip.model.logitScale)
    }
    let head = try name.head(setting(textFeatures, classes: classes))
    return values.isEmpty ? head : FixedHead(head: head, values: values)
  }

  /// The split on which a head chooses settings after training; `nil` without one, or where it was trained on.
  var choosingSplit: ImageSet? {
    if configuration.selection == .test { return data.folder.test }
    return configuration.splits == .trainAndValidation ? nil : data.validation
  }

  /// The method with the settings of its head that suit the choosing split best, and their values by name.
  func settled(
    _ method: Method, _ values: [Tensor], _ watch: RunWatch
  ) throws -> (method: Method, choices: [String: Double]) {
    guard !method.head.choiceNames.isEmpty, let split = choosingSplit else { return (method, [:]) }
    let encode = method.features(values: values)
    let examples = try watch.clock.measure(.validation) {
      try HeadExamples(
        of: split, ImageLoader(preprocessing: pretrained.preprocessing),
        method.encoder.trainables.isEmpty ? watch.features?.images : nil,
        progress: { done, count in
          try watch.stopIfAsked(.beforeResult)
          watch.report(.evaluating(.validation, done: done, of: count))
        }, encode: encode)
    }
    let found = watch.clock.measure(.validation) {
      method.head.chosen(method.split(values).head, on: examples)
    }
    return (
      Method(
        encoder: method.encoder, head: found.head, tower: method.tower, stochasticDepth: method.stochasticDepth),
      found.choices
    )
  }

  /// The delta, as it is written.
  func delta(_ method: Method, _ values: [Tensor]) throws -> Delta {
    let (encoderValues, headValues) = method.split(values)
    var delta = Delta(
      Delta.Description(
        method: configuration.method, model: configuration.model.sha256, classes: configuration.data.classes,
        templates: configuration.templates, ensembling: configuration.ensembling, cleaning: configuration.cleaning,
        alpha: nil))
    delta.description.weights = try WeightIdentity(of: pretrained)
    name.head.describe(configuration.recipe, in: &delta.description)
    delta.description.normalization = configuration.normalization
    (delta.description.heads, delta.description.imageSize) = (configuration.model.heads, configuration.model.imageSize)
    delta.description.images = configuration.model.images
    delta.description.preparation = pretrained.clip?.preparation
    delta.description.exif = configuration.exif
    method.encoder.write(encoderValues, to: &delta)
    method.head.write(headValues, to: &delta)
    delta.put(on: base?.delta.trainings ?? [])
    return delta
  }

  /// T of the model as it came, which differs from that of the run where an earlier one tuned the text tower.
  private func untunedFeatures(_ own: Tensor?, of classes: [String], _ watch: RunWatch) throws -> Tensor? {
    guard base?.tunesEncoder ?? false else { return own }
    return try textFeatures(of: classes, watch.features?.frozenTexts, asPretrained: true)
  }

  /// The frozen model, if it has a text encoder, and then the tuned one.
  ///
  /// - trained: the method as it was trained, and the epoch of the values.
  private func comparison(
    on set: ImageSet, _ method: Method, _ values: [Tensor], of trained: (method: Method, epoch: Int),
    textFeatures: Tensor?, _ watch: RunWatch
  ) throws -> Comparison {
    func evaluate(_ what: RunEvent.Evaluated, _ method: Method, _ values: [Tensor]) throws -> Evaluation {
      let known = what == .frozen ? watch.features?.frozenImages : watch.features?.images
      return try watch.clock.measure(.test) {
        try Evaluation(
          method, values: values, on: set, preprocessing: pretrained.preprocessing,
          skipsUnreadable: configuration.skipsUnreadable, known, clock: watch.clock
        ) { done in
          try watch.stopIfAsked(.beforeResult)
          watch.report(.evaluating(what, done: done, of: set.count))
        }
      }
    }
    let frozen = try textFeatures.flatMap { features in
      try pretrained.clip.map { clip in
        let head = ZeroShot(textFeatures: features, logitScale: clip.model.logitScale)
        return try evaluate(.frozen, Method(encoder: FrozenEncoder(), head: head, tower: pretrained.tower), [])
      }
    }
    let tuned = try trained.method.judging(after: trained.epoch, configuration.recipe) {
      try evaluate(.tuned, method, values)
    }
    return Comparison(set: set, tuned: tuned, frozen: frozen)
  }
}
