import Datasets
import Formats
import Foundation
import Tensor

/// The training loop: batches in, gradients out, the method's rule between, one optimiser per half of the method.
///
/// Order and transforms of an epoch are keyed by seed and epoch, the rule's random numbers by seed and step: a run that
/// was stopped anywhere and resumed takes the same steps as one that was not.
public struct Trainer {
  /// The events of a run.
  public enum Event: Sendable {
    /// A step was taken.
    case step(Progress)
    /// An epoch ended and was saved.
    case epoch(EpochMetrics)
  }

  /// The progress of a run.
  public struct Progress: Sendable {
    /// The current epoch, from 1, and the total.
    public let epoch, epochs: Int
    /// The step within it, from 1, and the total.
    public let step, steps: Int
    /// The half that the step trained.
    public let stage: Method.Stage
    /// The mean loss and accuracy in percent of the epoch so far.
    public let loss, accuracy: Double
    /// Training images per second since the run or its stage was started or resumed.
    public let imagesPerSecond: Double
    /// Seconds left at this pace; steps that train a head alone are quicker than those of an encoder.
    public let secondsLeft: Double
    /// The finished share of the run, 0 to 1.
    public var fraction: Double { (Double(epoch - 1) + Double(step) / Double(steps)) / Double(epochs) }
  }

  let method: Method
  let source: TrainingSource
  let recipe: Recipe
  let seed: Int
  let folder: RunFolder
  let fingerprint: String
  let selection: RunConfiguration.Selection
  /// The accuracy in percent on the split that selects the epoch, for the given values.
  let validate: (([Tensor]) throws -> Double)?
  /// The clock that the parts of the run are measured on.
  var clock = RunClock()

  /// A run of a method on a source, with its results in a folder.
  ///
  /// - validate: called after each epoch that takes part in a selection.
  public init(
    _ method: Method, on source: TrainingSource, _ configuration: RunConfiguration, in folder: RunFolder,
    validate: (([Tensor]) throws -> Double)? = nil
  ) throws {
    (self.method, self.source, self.folder, self.validate) = (method, source, folder, validate)
    (recipe, seed, selection) = (configuration.recipe, configuration.seed, configuration.selection)
    fingerprint = try configuration.fingerprint
  }

  /// The steps of an epoch: a last batch that is not full counts only where there is no full one, or the recipe keeps
  /// it.
  public var stepsPerEpoch: Int { recipe.stepsPerEpoch(images: source.count) }

  /// The steps of all epochs, of which the last may have fewer.
  var totalSteps: Int { recipe.totalSteps(stepsPerEpoch: stepsPerEpoch) }

  /// The learning rates of all steps of the encoder's tensors.
  public var encoderRates: [Double] {
    let schedule = recipe.encoder.schedule(epochs: recipe.epochs)
    return (0..<recipe.epochs).flatMap { Array(repeating: schedule.rate(at: $0), count: stepsPerEpoch) }
  }

  /// The state before the first step.
  public func start() -> TrainingState {
    TrainingState(
      startOf: method, recipe, stepsPerEpoch: stepsPerEpoch, seed: UInt64(bitPattern: Int64(seed)))
  }

  /// Trains from `state` to the last epoch, which may be one whose mean loss is below `stopLoss`, or until `shouldStop`
  /// says so after a step; saves after the first epoch and
  /// the last, when stopped, and between them after an epoch but not more often than every second: waiting for the disk
  /// may take longer than an epoch of a small model.
  ///
  /// - Returns: true if the last epoch was reached.
  /// - Throws: `ImageError` for an unreadable image, `FileError` for a folder that cannot be written, `RunError`
  ///   for a state of another run, and for a loss or values at the end that are not finite.
  public func run(
    _ state: inout TrainingState, shouldStop: () -> Bool = { false }, report: (Event) -> Void = { _ in }
  ) throws -> Bool {
    try check(state)
    var pace = Pace()
    var saved = Date.distantPast
    while state.epoch < recipe.epochs, !state.isEnded {
      let epochStarted = Date()
      let seenBefore = pace.pictures
      let isWhole = try clock.measure(.training) {
        try takeSteps(&state, &pace, shouldStop: shouldStop) { report(.step($0)) }
      }
      guard isWhole else {
        try save(state)
        return false
      }
      state.isEnded = recipe.stopLoss.map { state.sums.meanLoss < $0 } ?? false
      let isLast = state.isEnded || state.epoch + 1 == recipe.epochs
      let isDue = isLast || Date().timeIntervalSince(saved) >= 1
      let metrics = try endEpoch(
        &state, seconds: Date().timeIntervalSince(epochStarted), pictures: pace.pictures - seenBefore, flushing: isDue)
      report(.epoch(metrics))
      let stops = !isLast && shouldStop()
      if isDue || stops {
        try save(state)
        saved = Date()
      }
      if stops { return false }
    }
    return true
  }

  private func save(_ state: TrainingState) throws {
    try state.write(to: folder.checkpoint, fingerprint: fingerprint)
    try clock.write()
  }

  /// Images trained on since the run was started or resumed, and the pace of its stage.
  private struct Pace {
    private var started = Date()
    private var before = 0
    var pictures = 0
    var perSecond: Double { Double(pictures - before) / Date().timeIntervalSince(started) }

    mutating func beginStage() { (started, before) = (Date(), pictures) }
  }

  /// Takes the remaining steps of the current epoch.
  ///
  /// - Returns: true if all were taken; false if `shouldStop` said so before the last.
  private func takeSteps(
    _ state: inout TrainingState, _ pace: inout Pace, shouldStop: () -> Bool, report: (Progress) -> Void
  ) throws -> Bool {
    let (epoch, first, labels) = (state.epoch, state.sums.steps, source.labels)
    let batches = batches(of: epoch)
    let source = source
    let inputs = Prefetcher(first..<batches.count) { try source.input(batches[$0], epoch: epoch) }
    for (index, batch) in batches.enumerated().dropFirst(first) {
      let stage = state.stage
      let step = method.step(
        try clock.measure(.reading) { try inputs.next(index) }, labels: batch.map { labels[$0] }, values: state.values,
        seed: UInt64(bitPattern: Int64(seed)), step: state.steps, stage: stage)
      if let term = step.terms.first(where: { !$0.value.isFinite }) {
        throw RunError(
          "step \(state.steps + 1): \(term.name): expected a finite number, found \(term.value): training diverged; "
            + "a smaller learning rate may help")
      }
      state.take(step, of: method, epoch: epoch, count: batch.count)
      pace.pictures += batch.count
      let left = totalSteps - state.steps
      report(
        Progress(
          epoch: epoch + 1, epochs: recipe.epochs, step: index + 1, steps: batches.count, stage: stage,
          loss: state.sums.mean(step.terms.first?.name ?? ""), accuracy: state.sums.accuracy,
          imagesPerSecond: pace.perSecond, secondsLeft: Double(left * batch.count) / pace.perSecond))
      if state.stage != stage { pace.beginStage() }
      if index + 1 < batches.count, shouldStop() { return false }
    }
    return true
  }

  /// Refuses a state whose counts are impossible for these settings: a checkpoint that was tampered with.
  private func check(_ state: TrainingState) throws {
    guard (0...recipe.epochs).contains(state.epoch), (0..<max(1, stepsPerEpoch)).contains(state.sums.steps),
      state.steps == min(totalSteps, state.epoch * stepsPerEpoch + state.sums.steps)
    else {
      throw RunError(
        "\(folder.checkpoint.shown): expected \(stepsPerEpoch) steps in each of \(recipe.epochs) epochs, found "
          + "\(state.steps) steps after \(state.epoch) epochs and \(state.sums.steps) steps")
    }
  }

  /// Ends an epoch: validation and metrics.
  private func endEpoch(
    _ state: inout TrainingState, seconds: Double, pictures: Int, flushing: Bool
  ) throws -> EpochMetrics {
    let epoch = state.epoch + 1
    let isJudged = selection.judges(epoch: epoch, of: recipe.epochs)
    // After other epochs the next step has a loss that tells.
    if isJudged || state.isEnded || epoch == recipe.epochs {
      try method.requireFinite(state.values, after: epoch, recipe)
    }
    // While the encoder is trained, a model is judged with the head that would start on it.
    if isJudged { state.startHead(of: method) }
    let values = state.values
    let accuracy: Double? =
      isJudged
      ? try clock.measure(.validation) {
        try method.judging(after: epoch, recipe) { try validate?(values) }
      } : nil
    let shares = method.encoder.shares(method.split(values).encoder)
    let metrics = EpochMetrics(
      epoch: epoch, steps: state.steps,
      learningRates: Dictionary(
        uniqueKeysWithValues: state.rates(epoch: state.epoch, step: state.steps - 1).map { ($0.name, $0.rate) }),
      terms: state.sums.means, accuracy: state.sums.accuracy,
      validationAccuracy: selection == .test ? nil : accuracy, testAccuracy: selection == .test ? accuracy : nil,
      shares: Dictionary(uniqueKeysWithValues: shares.map { ($0.name, $0.percent) }), seconds: seconds,
      imagesPerSecond: seconds > 0 ? Double(pictures) / seconds : 0)
    state.endEpoch(validationAccuracy: accuracy)
    try folder.writeMetrics(metrics, after: state.epoch - 1, flushing: flushing)
    return metrics
  }

  /// The image indices of each batch of an epoch.
  func batches(of epoch: Int) -> [[Int]] {
    var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)), purpose: .shuffle, step: epoch)
    let rows = source.rows(ofEpoch: epoch)
    let order = stream.permutation(of: rows.count).map { rows.lowerBound + $0 }
    return (0..<max(0, min(stepsPerEpoch, totalSteps - epoch * stepsPerEpoch))).map { index in
      Array(order[index * recipe.batchSize..<min((index + 1) * recipe.batchSize, order.count)])
    }
  }
}
