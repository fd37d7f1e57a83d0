import Formats
import Foundation
import Tensor

/// Everything that changes during training, and all that a checkpoint holds.
public struct TrainingState: Sendable {
  /// A group of tensors with its own optimiser.
  struct Group: Sendable {
    let name: String
    let range: Range<Int>
    /// The steps of the run that train them.
    let steps: Range<Int>
    let schedule: Schedule
    /// Whether the schedule advances by steps.
    let isStepwise: Bool
    var optimizer: any Optimizer

    /// - epochs: those of the run; steps: those that train the group, of which the schedule has `count`.
    init(
      _ name: String, _ recipe: OptimizerRecipe, _ trainables: [Trainable], from first: Int, epochs: Int,
      steps: Range<Int>, count: Int, seed: UInt64
    ) {
      (self.name, range, self.steps) = (name, first..<first + trainables.count, steps)
      isStepwise = recipe.isStepwise ?? false
      schedule = recipe.schedule(epochs: isStepwise ? max(1, count) : epochs)
      optimizer = recipe.optimizer(trainables.map(\.slot), seed: seed)
    }

    /// The learning rate of an epoch whose next step is the given one of the run, which trains the group.
    func rate(epoch: Int, step: Int) -> Double {
      schedule.rate(at: isStepwise ? step - steps.lowerBound : epoch)
    }
  }

  /// Sums over the steps of the current epoch.
  struct Sums: Sendable, Codable, Equatable {
    var steps = 0
    var pictures = 0
    var correct = 0
    var terms: [String: Double] = [:]
    /// The sum of the losses of all pictures; `nil`, as in checkpoints of the first versions, for 0.
    var loss: Double?

    /// The mean loss of a picture, however they were batched.
    var meanLoss: Double { (loss ?? 0) / Double(max(1, pictures)) }
    func mean(_ name: String) -> Double { steps == 0 ? 0 : (terms[name] ?? 0) / Double(steps) }
    var means: [String: Double] { terms.mapValues { $0 / Double(max(1, steps)) } }
    var accuracy: Double { pictures == 0 ? 0 : 100 * Double(correct) / Double(pictures) }
  }

  /// The epoch with the highest accuracy so far on the selecting split.
  struct Best: Sendable {
    let epoch: Int
    let accuracy: Double
    let values: [Tensor]
  }

  /// The trainable tensors.
  public package(set) var values: [Tensor]
  /// Steps taken since the start of the run.
  public package(set) var steps = 0
  /// Epochs completed.
  public package(set) var epoch = 0
  var optimizers: [Group]
  var sums = Sums()
  var best: Best?
  /// The first step that trains the head alone, from 0, those before it training the encoder alone; `nil` where every
  /// step trains both.
  let headStart: Int?
  /// True if an epoch ended the run by its loss.
  package internal(set) var isEnded = false

  init(values: [Tensor], optimizers: [Group], headStart: Int? = nil) {
    (self.values, self.optimizers, self.headStart) = (values, optimizers, headStart)
  }

  /// The state of a method before its first step: an optimiser for each half that is trained.
  ///
  /// - stepsPerEpoch: for schedules that advance by steps; seed: of optimisers with random draws.
  package init(startOf method: Method, _ recipe: Recipe, stepsPerEpoch: Int = 1, seed: UInt64) {
    let (encoder, head) = (method.encoder.trainables, method.head.trainables)
    let steps = recipe.totalSteps(stepsPerEpoch: max(1, stepsPerEpoch))
    let start = recipe.encoderSteps(of: steps)
    self.init(
      values: method.trainables.map(\.initial),
      optimizers: [
        Group(
          "encoder", recipe.encoder, encoder, from: 0, epochs: recipe.epochs, steps: 0..<(start ?? .max),
          count: start ?? steps, seed: seed),
        Group(
          "head", recipe.head, head, from: encoder.count, epochs: recipe.epochs, steps: (start ?? 0)..<(.max),
          count: steps - (start ?? 0), seed: seed),
      ].filter { !$0.range.isEmpty }, headStart: start)
  }

  /// The half that the next step trains.
  package var stage: Method.Stage { headStart.map { steps < $0 ? .encoder : .head } ?? .joint }

  /// One step of a method; the last one of the encoder's stage starts the head on what became of the encoder.
  package mutating func take(_ step: Method.Step, of method: Method, epoch: Int, count: Int) {
    apply(step, epoch: epoch, count: count)
    if steps == headStart { startHead(of: method) }
  }

  /// Gives the head the values at which its stage starts, as long as no step of that was taken.
  mutating func startHead(of method: Method) {
    if let headStart, steps <= headStart { values = method.startingHead(values) }
  }

  /// One step of every optimiser whose tensors the step trains, with the learning rate of the epoch.
  package mutating func apply(_ step: Method.Step, epoch: Int, count: Int) {
    for index in optimizers.indices where optimizers[index].steps.contains(steps) {
      let group = optimizers[index]
      var part = Array(values[group.range])
      for position in group.range { values[position] = Tensor(0) }
      optimizers[index].optimizer.step(
        parameters: &part, gradients: Array(step.gradients[group.range]),
        learningRate: group.rate(epoch: epoch, step: steps))
      values.replaceSubrange(group.range, with: part)
    }
    steps += 1
    sums.steps += 1
    sums.pictures += count
    sums.correct += step.correct
    sums.loss = (sums.loss ?? 0) + (step.terms.first?.value ?? 0) * Double(count)
    for term in step.terms { sums.terms[term.name, default: 0] += term.value }
  }

  /// Counts the epoch, and keeps its values if they are the best on the validation split so far.
  package mutating func endEpoch(validationAccuracy: Double?) {
    epoch += 1
    sums = Sums()
    if let accuracy = validationAccuracy, accuracy > best?.accuracy ?? -1 {
      best = Best(epoch: epoch, accuracy: accuracy, values: values)
    }
  }

  /// Values that become a delta, their epoch, and the reason.
  package typealias Selected = (values: [Tensor], epoch: Int, reason: String, validationAccuracy: Double?)

  /// The values that become the delta, their epoch, and the reason.
  package func selected(_ selection: RunConfiguration.Selection) -> Selected {
    if selection == .validation, let best {
      return (best.values, best.epoch, "highest accuracy on the validation split, the first of several", best.accuracy)
    }
    if selection == .test, let best {
      return (
        best.values, best.epoch, "highest accuracy on the TEST split itself, as some released code reports it", nil
      )
    }
    if values.isEmpty { return (values, epoch, "the head is made of features of the training images", nil) }
    if isEnded { return (values, epoch, "its mean training loss ended the run, as in the published runs", nil) }
    return (values, epoch, "last epoch, as in the published runs", nil)
  }
}

// MARK: Checkpoints

extension TrainingState {
  /// The contents of a checkpoint besides tensors.
  private struct Header: Codable {
    let format: Int
    let fingerprint: String
    let steps: Int
    let epoch: Int
    let sums: Sums
    let optimizerSteps: [String: Int]
    let bestEpoch: Int?
    let bestAccuracy: Double?
    let isEnded: Bool?
  }

  private static let metadataKey = "frugal.checkpoint"

  /// Writes a checkpoint, whole or not at all.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  package func write(to url: URL, fingerprint: String) throws {
    try checkpoint(fingerprint: fingerprint).write(to: url)
  }

  /// A checkpoint, to be written.
  func checkpoint(fingerprint: String) throws -> SafeTensorsWriter {
    let header = Header(
      format: 1, fingerprint: fingerprint, steps: steps, epoch: epoch, sums: sums,
      optimizerSteps: Dictionary(uniqueKeysWithValues: optimizers.map { ($0.name, $0.optimizer.stepCount) }),
      bestEpoch: best?.epoch, bestAccuracy: best?.accuracy, isEnded: isEnded ? true : nil)
    var writer = SafeTensorsWriter(
      metadata: [Self.metadataKey: String(decoding: try JSON.encoded(header), as: UTF8.self)])
    for (index, value) in values.enumerated() { writer.add("value.\(index)", value) }
    for (index, value) in (best?.values ?? []).enumerated() { writer.add("best.\(index)", value) }
    for group in optimizers {
      for (name, tensor) in group.optimizer.state {
        writer.add("\(group.name).\(name)", tensor)
      }
    }
    return writer
  }

  /// Resumes from the checkpoint of a run, or from the start if it was stopped before its first.
  ///
  /// - Throws: `RunError` for a checkpoint of another run, `WeightFileError` for a broken file.
  package mutating func resume(from url: URL, _ configuration: RunConfiguration) throws {
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    try read(from: url, fingerprint: try configuration.fingerprint)
  }

  /// Replaces this state, which must be the initial one of the same run, by the contents of a checkpoint.
  ///
  /// - Throws: `RunError` for a checkpoint of another run, `WeightFileError` for a broken file.
  package mutating func read(from url: URL, fingerprint: String) throws {
    let file = try SafeTensorsFile(contentsOf: url)
    guard let json = file.metadata[Self.metadataKey],
      let header = try? JSON.decoded(Header.self, from: json.utf8, upTo: JSON.largestMeasurement), header.format == 1
    else { throw RunError("\(file.file): expected a checkpoint of a run, found none") }
    guard header.fingerprint == fingerprint else {
      throw RunError(
        "\(file.file): expected a checkpoint of the run in config.json (\(fingerprint.prefix(12))…), "
          + "found one of another model, data or method (\(header.fingerprint.prefix(12))…)")
    }
    func tensors(_ prefix: String) throws -> [Tensor] {
      try values.enumerated().map { index, value in
        let tensor = try file.tensor("\(prefix).\(index)")
        guard tensor.shape == value.shape else {
          throw RunError("\(file.file): \(prefix).\(index): expected shape \(value.shape), found \(tensor.shape)")
        }
        return tensor
      }
    }
    for index in optimizers.indices {
      let prefix = "\(optimizers[index].name)."
      let names = file.names.filter { $0.hasPrefix(prefix) }
      let state = try Dictionary(
        uniqueKeysWithValues: names.map { (String($0.dropFirst(prefix.count)), try file.tensor($0)) })
      do throws(OptimizerError) {
        try optimizers[index].optimizer.restore(
          state, stepCount: header.optimizerSteps[optimizers[index].name] ?? -1)
      } catch { throw RunError("\(file.file): \(optimizers[index].name): \(error)") }
    }
    let counts = [header.epoch, header.steps, header.sums.steps, header.sums.pictures, header.sums.correct]
    guard counts.allSatisfy({ (0...(1 << 54)).contains($0) }) else {
      throw RunError("\(file.file): expected counts of 0 or more, found \(header.steps) steps")
    }
    if let epoch = header.bestEpoch, let accuracy = header.bestAccuracy {
      guard (1...max(1, header.epoch)).contains(epoch), (0...100).contains(accuracy) else {
        throw RunError(
          "\(file.file): expected a best epoch of 1 to \(header.epoch) with an accuracy in %, found epoch \(epoch) "
            + "with \(accuracy)")
      }
      best = Best(epoch: epoch, accuracy: accuracy, values: try tensors("best"))
    }
    values = try tensors("value")
    (steps, epoch, sums, isEnded) = (header.steps, header.epoch, header.sums, header.isEnded ?? false)
  }
}
