import Datasets
import Formats
import Foundation
import Models
import Tensor

/// What a run tells while it works.
public enum RunEvent: Sendable {
  /// Images that the method looked at to choose what to tune, of how many.
  case choosing(done: Int, of: Int)
  /// Images whose features were computed once, of how many.
  case encoding(done: Int, of: Int)
  /// Everything fits, and training begins; not again for a part of a search.
  case begins(RunSummary)
  /// A step was taken.
  case step(Trainer.Progress)
  /// An epoch of so many ended and was saved.
  case epoch(EpochMetrics, of: Int)
  /// Training ended, and had diverged.
  case diverged(Divergence)
  /// Images that were evaluated by one model, of how many.
  case evaluating(Evaluated, done: Int, of: Int)
  /// The training begins that the head is built on, in a folder of its own; that of the head follows.
  case base
  /// A budget of a search is tried: its number, from 1, of how many.
  case trying(budget: Int, number: Int, of: Int)
  /// A budget was judged.
  case judged(BudgetSearch.Score)
  /// The budget that is trained again on both splits.
  case chose(budget: Int)
  /// So many times the features of an image came from the cache.
  case reused(Int)
  /// The cache could not be written, for this reason; features will be computed again.
  case cacheFailed(String)

  /// A model and the images it is evaluated on.
  public enum Evaluated: Sendable {
    /// A tuned model on validation images.
    case validation
    /// The pretrained model on test images.
    case frozen
    /// The tuned model on test images.
    case tuned
  }
}

/// Prints the plan of a run before it starts.
public struct RunSummary: Sendable {
  /// The settings.
  public let configuration: RunConfiguration
  /// The number of training images, and of steps per epoch.
  public let images, stepsPerEpoch: Int
  /// The number of trainable parameters.
  public let trainedCount: Int
  /// Whether nothing inside the encoder is trained, and whether its features are computed only once for all epochs.
  public let hasFrozenEncoder, isCached: Bool
  /// The steps that train the encoder alone, and those that then train the head alone; `nil` where each trains both.
  public let stages: (encoder: Int, head: Int)?
  /// The steps that an earlier start has taken.
  public let stepsDone: Int
  /// What may go wrong with these settings.
  public let warnings: [String]
}

/// A run that was stopped because its caller asked for it; what is done is kept, and the run can be resumed.
public struct RunStopped: Error, Sendable, Equatable {
  /// Where it stopped.
  public enum Stage: Sendable, Equatable {
    /// Before anything was written.
    case beforeFirstStep
    /// After this step, counted from 1.
    case afterStep(Int)
    /// After the last step, before a budget was judged.
    case beforeValidation
    /// After the last step, before the test split was read to the end.
    case beforeResult
  }

  /// Where it stopped.
  public let stage: Stage
}

extension Run {
  /// Trains to the last epoch, from the checkpoint where there is one, evaluates, and writes delta and result.
  ///
  /// - report: called with what happens; shouldStop: asked after every step and every batch of images.
  /// - Throws: `RunError` for a run that ends with the validation split (`validate`); `RunObstacle` for a new run that
  ///   cannot change anything; `RunStopped` once `shouldStop` says so; `FileError` while another process is at work in
  ///   the folder; `RunError`, `SettingError`, `ImageError` and `FileError` as `Run.init` and `Trainer.run` do.
  public func train(
    shouldStop: @escaping () -> Bool = { false }, report: @escaping (RunEvent) -> Void = { _ in }
  ) throws -> RunResult {
    guard configuration.evaluation != .validation else {
      throw RunError("\(folder.url.shown): expected a run that ends with the test split, found one that ends with val")
    }
    let watch = try watch(shouldStop, report)
    return try watch.clock.measure(.setup) { () throws -> RunResult in
      defer { watch.reportFeatures() }
      guard configuration.budgets != nil else {
        return try finish(trainedOnBase(watch), budgets: nil, watch)
      }
      var search = try BudgetSearch(self)
      let last = try search.run(watch)
      return try finish(last, budgets: search.scores, watch)
    }
  }

  /// Those who watch the run, with the lock of its folder where there is one.
  func watch(_ shouldStop: @escaping () -> Bool, _ report: @escaping (RunEvent) -> Void) throws -> RunWatch {
    let lock = RunLock()
    if folder.isBegun {
      try lock.take(folder)
      if !folder.isStarted { try folder.complete(configuration, splitList: data.splitList, inputs: inputs) }
      if let base, let earlier = configuration.on { try folder.copy(base, of: earlier) }
    }
    var watch = RunWatch(shouldStop: shouldStop, report: report, clock: RunClock(of: folder), lock: lock)
    watch.clock.add(setupSeconds, to: .setup)
    watch.features = watch.clock.measure(.setup) { RunFeatures(self) }
    return watch
  }

  /// The run at its last epoch.
  ///
  /// - creating: runs whose folders are made before the first step, and removed again if there is no first epoch.
  func trained(creating: [Run], _ watch: RunWatch) throws -> TrainedRun {
    let images = images
    let textFeatures = try textFeatures(of: configuration.data.classes, watch.features?.texts)
    let method = try chosenMethod(textFeatures, watch)
    if let names = configuration.data.newClasses, name.head.isTrained {
      // Names that do not suit it are found now, and not at the end.
      _ = try head(meeting: names, .zeros([names.count, method.tower.featureWidth]), [])
    }
    let source = try TrainingSource(images, for: method, loader, watch.features?.images, watch.clock) { done in
      try watch.stopIfAsked(.beforeFirstStep)
      watch.report(.encoding(done: done, of: images.count))
    }
    let trainer = try trainer(method, on: source, watch.features?.images, watch.clock)
    if !isForced,
      let obstacle = method.encoder.obstacle(
        configuration.recipe.encoder, epochs: configuration.recipe.epochs, stepsPerEpoch: trainer.stepsPerEpoch)
    {
      throw obstacle
    }
    var state = trainer.start()
    try state.resume(from: folder.checkpoint, configuration)
    watch.report(.begins(summary(method, source, trainer, state)))
    // Only now that texts, images and settings have been found to fit does the run leave a trace.
    if let first = creating.first {
      try first.folder.make()
      try watch.lock.take(first.folder)
      for run in creating { try run.folder.requireVacant() }
      // Before the settings: where these are, so is it.
      if let base, let earlier = configuration.on { try first.folder.copy(base, of: earlier) }
    }
    let isFinished: Bool
    do {
      for run in creating {
        try run.folder.create(
          run.configuration, splitList: run.data.splitList, inputs: run.inputs, command: run.command)
      }
      isFinished = try trainer.run(
        &state, shouldStop: watch.shouldStop,
        report: { event in
          switch event {
          case .step(let progress): watch.report(.step(progress))
          case .epoch(let metrics): watch.report(.epoch(metrics, of: configuration.recipe.epochs))
          }
        })
    } catch {
      for run in creating.reversed() { run.folder.discardUnstarted() }
      throw error
    }
    guard isFinished else { throw RunStopped(stage: .afterStep(state.steps)) }
    if let divergence = try divergence { watch.report(.diverged(divergence)) }
    return TrainedRun(run: self, method: method, state: state, textFeatures: textFeatures)
  }

  /// The divergence of its training, if it diverged.
  var divergence: Divergence? {
    get throws { Divergence(try folder.epochs(), classes: configuration.data.classes.count) }
  }

  /// The method, after its look at the images where it has one.
  private func chosenMethod(_ textFeatures: Tensor?, _ watch: RunWatch) throws -> Method {
    var looks = false
    let found = try watch.clock.measure(.survey) { () throws -> Method in
      try method(textFeatures: textFeatures, nil, features: watch.features?.images) { done, count in
        looks = true
        try watch.stopIfAsked(.beforeFirstStep)
        watch.report(.choosing(done: done, of: count))
      }
    }
    if !looks { watch.clock.move(.survey, to: .setup) }
    return found
  }

  /// A line where a head would choose settings and there is no split to choose by.
  private func choiceWarnings(_ head: any Head) -> [String] {
    guard !head.choiceNames.isEmpty, choosingSplit == nil else { return [] }
    let names = head.choiceNames.joined(separator: ", ")
    let reason =
      configuration.splits == .trainAndValidation
      ? "the validation split is trained on, so there is none to choose \(names) by"
      : "there is no validation split to choose \(names) by"
    return ["\(reason): values without a search are used"]
  }

  private func summary(
    _ method: Method, _ source: TrainingSource, _ trainer: Trainer, _ state: TrainingState
  ) -> RunSummary {
    let total = trainer.totalSteps
    return RunSummary(
      configuration: configuration, images: source.count, stepsPerEpoch: trainer.stepsPerEpoch,
      trainedCount: method.trainedCount, hasFrozenEncoder: method.encoder.trainables.isEmpty, isCached: source.isCached,
      stages: state.headStart.map { ($0, total - $0) }, stepsDone: state.steps,
      warnings: method.encoder.warnings(configuration.recipe.encoder, learningRates: trainer.encoderRates)
        + configuration.recipe.warmupWarnings(
          trainsEncoder: !method.encoder.trainables.isEmpty, trainsHead: !method.head.trainables.isEmpty)
        + choiceWarnings(method.head))
  }
}

/// A run at its last epoch, without what only training needs.
struct TrainedRun {
  let run: Run
  let method: Method
  /// Those of the last epoch.
  let values: [Tensor]
  /// Those that become the delta.
  let chosen: TrainingState.Selected
  let textFeatures: Tensor?

  /// A run whose optimisers are given up.
  init(run: Run, method: Method, state: TrainingState, textFeatures: Tensor?) {
    (self.run, self.method, self.textFeatures) = (run, method, textFeatures)
    (values, chosen) = (state.values, state.selected(run.configuration.selection))
  }
}

/// Those who watch a run: who is told, who may stop it, and the clock.
struct RunWatch {
  let shouldStop: () -> Bool
  let report: (RunEvent) -> Void
  var clock = RunClock()
  var lock = RunLock()
  var features: RunFeatures?

  /// Says what the cache was good for.
  func reportFeatures() {
    guard let features else { return }
    if features.reused > 0 { report(.reused(features.reused)) }
    if let problem = features.problem { report(.cacheFailed(problem)) }
  }

  func stopIfAsked(_ stage: RunStopped.Stage) throws(RunStopped) {
    if shouldStop() { throw RunStopped(stage: stage) }
  }
}

/// The lock of the folder of a run and of all its parts, once it is there.
final class RunLock {
  private var lock: FolderLock?

  /// Takes the lock, unless it is held already.
  ///
  /// - Throws: `FileError` while another process holds it.
  func take(_ folder: RunFolder) throws(FileError) { if lock == nil { lock = try FolderLock(folder.url) } }
}
