import Foundation
import Methods
import Tensor

/// The training of one run, or of several one after the other, as its user sees it: progress on a line, and a Ctrl-C that
/// stops after a step and says how to go on.
final class TuneSession {
  /// A run at its last epoch.
  struct Trained {
    let experiment: Experiment
    let method: Method
    let state: TrainingState
    let textFeatures: Tensor?
  }

  private let line: ProgressLine
  private let resumption: String
  private let label: String?
  private var interrupt: Interrupt?

  /// - path: the folder of the run, as typed: what is to be resumed after a Ctrl-C.
  convenience init(path: String) { self.init(resumption: "frugal tune --resume \(path)") }

  /// - resumption: the command that goes on after a Ctrl-C.
  /// - line, interrupt: those of the session that this one is a part of.
  /// - label: what the run is called where it is one of many, and all it says is its progress on that line.
  init(resumption: String, on line: ProgressLine = ProgressLine(), _ interrupt: Interrupt? = nil, label: String? = nil)
  {
    (self.resumption, self.line, self.interrupt, self.label) = (resumption, line, interrupt, label)
  }

  /// Trains a run to its last epoch, from its checkpoint where it has one.
  ///
  /// - creating: runs whose folders are made before the first step, and taken away again if there is no first epoch.
  func train(_ experiment: Experiment, creating: [Experiment]) throws -> Trained {
    let (configuration, pictures) = (experiment.configuration, experiment.pictures)
    let textFeatures = try experiment.textFeatures()
    let method = try experiment.method(textFeatures: textFeatures) { done, count in
      try stopIfAsked("before its first step")
      line.show(shown("pictures of the sensitivity"), done, of: count)
    }
    let source = try TrainingSource(pictures, for: method, experiment.loader) { done in
      line.show(shown("features of pictures"), done, of: pictures.count)
    }
    if label == nil { line.finish() }
    let trainer = try experiment.trainer(method, on: source)
    if label == nil { announce(experiment, method, source, trainer) }
    var state = trainer.start()
    try state.resume(from: experiment.folder.checkpoint, configuration)
    if state.steps > 0, label == nil { note("resuming after step \(state.steps)") }
    // Only now that texts, pictures and settings have been found to fit does the run leave a trace.
    for run in creating { try run.folder.create(run.configuration) }
    let interrupt = self.interrupt ?? Interrupt()
    self.interrupt = interrupt
    let isFinished: Bool
    do {
      isFinished = try trainer.run(
        &state, shouldStop: { interrupt.isRequested },
        report: { event in
          switch event {
          case .step(let progress): line.show(shown(description(of: progress)), fraction: progress.fraction)
          case .epoch(let metrics):
            if label == nil { line.finish(description(of: metrics, configuration.recipe.epochs)) }
          }
        })
    } catch {
      line.finish()
      for run in creating.reversed() { run.folder.discardUnstarted() }
      throw error
    }
    guard isFinished else {
      line.finish("stopped after step \(state.steps); to go on: \(resumption)")
      throw Interrupted()
    }
    return Trained(experiment: experiment, method: method, state: state, textFeatures: textFeatures)
  }

  /// The run of the budget that is the best on the validation split, trained.
  func train(_ search: inout BudgetSearch) throws -> Trained {
    let count = search.scores.count + search.open.count
    for budget in search.open {
      note("budget \(grouped(budget)), \(search.scores.count + 1) of \(count)")
      let run = try search.run(of: budget)
      let trained = try train(run, creating: [search.experiment, run].filter { !$0.folder.isBegun })
      let score = try search.judge(trained.method, trained.state) { done, total in
        try stopIfAsked("before its validation")
        line.show("evaluating", done, of: total)
      }
      line.finish("budget \(grouped(budget)): val \(percent(score.validationAccuracy)) %")
    }
    let last = try search.lastRun()
    note("budget \(grouped(search.chosen ?? 0)) is the best on val; trained again on train and val")
    return try train(last, creating: [])
  }

  /// The delta and the result of a trained run.
  func finish(_ trained: Trained, budgets: [BudgetSearch.Score]?) throws -> RunResult {
    let result = try trained.experiment.finish(
      trained.method, trained.state, textFeatures: trained.textFeatures, budgets: budgets
    ) { done, total in
      try stopIfAsked("before the result", "to get it")
      line.show(shown("evaluating"), done, of: total)
    }
    if label == nil { line.finish() }
    return result
  }

  private func shown(_ text: String) -> String { label.map { "\($0)  \(text)" } ?? text }

  private func stopIfAsked(_ place: String, _ purpose: String = "to go on") throws(Interrupted) {
    guard interrupt?.isRequested == true else { return }
    line.finish("stopped \(place); \(purpose): \(resumption)")
    throw Interrupted()
  }

  /// What will be done, before it is.
  private func announce(
    _ experiment: Experiment, _ method: Method, _ source: TrainingSource, _ trainer: Trainer
  ) {
    let (configuration, recipe) = (experiment.configuration, experiment.configuration.recipe)
    note(
      "\(configuration.method), \(source.count) pictures of \(configuration.data.classes.count) classes, "
        + "\(recipe.epochs) epochs of \(trainer.stepsPerEpoch) steps, \(grouped(method.trainedCount)) trained numbers")
    if method.hasFrozenEncoder {
      note(
        source.isCached
          ? "features of the frozen encoder were computed once and are reused in every epoch"
          : "features are computed again in every epoch, as pictures are cropped at random (--crop center reuses them)")
    }
    if experiment.name.encoder.sites != nil, recipe.encoder.kind == .adam {
      warnIfNoMaskCanFlip(trainer.encoderRates)
    }
  }

  /// Says so where the learning rates cannot carry a mask across its threshold, or can only by growing gradients.
  private func warnIfNoMaskCanFlip(_ rates: [Double]) {
    guard MaskTuning.steadyFlip(learningRates: rates) == nil else { return }
    let outcome =
      MaskTuning.firstPossibleFlip(learningRates: rates) == nil
      ? "no weight can be masked" : "only weights whose gradients keep growing can be masked"
    note(
      "warning: the learning rates add up to \(String(format: "%.5f", rates.reduce(0, +))), less than the "
        + "\(MaskTuning.initialMask - MaskTuning.threshold) a mask travels to its threshold: \(outcome). "
        + "More --epochs, a larger --lr or a smaller --batch would help.")
  }

  private func description(of progress: Trainer.Progress) -> String {
    "epoch \(progress.epoch)/\(progress.epochs) step \(progress.step)/\(progress.steps)  "
      + "loss \(String(format: "%.4f", progress.loss))  accuracy \(percent(progress.accuracy)) %  "
      + "\(String(format: "%.1f", progress.imagesPerSecond)) images/s  "
      + "\(ProgressLine.duration(progress.secondsLeft)) left"
  }

  private func description(of metrics: EpochMetrics, _ epochs: Int) -> String {
    let masked = metrics.shares["all"].map { "  masked \(String(format: "%.3f", $0)) %" } ?? ""
    let validation =
      metrics.validationAccuracy.map { "  val \(percent($0)) %" } ?? metrics.testAccuracy.map {
        "  TEST \(percent($0)) %"
      }
      ?? ""
    return "epoch \(metrics.epoch)/\(epochs)  loss \(String(format: "%.4f", metrics.terms["loss"] ?? 0))  "
      + "accuracy \(percent(metrics.accuracy)) %\(validation)\(masked)  "
      + "\(String(format: "%.1f", metrics.imagesPerSecond)) images/s"
  }
}
