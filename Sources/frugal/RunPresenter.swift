import Foundation
import Methods
import Tensor

/// A run as its user sees it: progress on a line, and a Ctrl-C that stops after a step and says how to resume.
struct RunPresenter {
  private let line: ProgressLine
  private let resumption: String
  private let label: String?
  private let interrupt: Interrupt
  private let isEnded: () -> Bool

  /// - resumption: the command that resumes after a Ctrl-C.
  /// - line, interrupt: those of the command that the run is a part of.
  /// - label: the name of the run if it is one of many and shows only its progress on that line.
  /// - isEnded: another reason to stop after a step.
  init(
    resumption: String, on line: ProgressLine = ProgressLine(), _ interrupt: Interrupt = Interrupt(),
    label: String? = nil, isEnded: @escaping () -> Bool = { false }
  ) {
    (self.resumption, self.line, self.interrupt, self.label) = (resumption, line, interrupt, label)
    self.isEnded = isEnded
  }

  /// Trains a run and says how it goes.
  ///
  /// - Throws: `Interrupted` after a Ctrl-C; what the run throws.
  func train(_ run: Run) throws -> RunResult {
    var run = run
    run.cardCommands = .frugal
    return try present(run) { try run.train(shouldStop: $0, report: show) }
  }

  /// Trains a run that ends with the validation split and says how it goes.
  ///
  /// - Throws: as `train`.
  func validate(_ run: Run) throws -> ValidationResult {
    try present(run) { try run.validate(shouldStop: $0, report: show) }
  }

  private func present<Result>(_ run: Run, _ body: (_ shouldStop: @escaping () -> Bool) throws -> Result) throws
    -> Result
  {
    do {
      let result = try body { interrupt.isRequested || isEnded() }
      if label == nil { line.finish() }
      return result
    } catch let stopped as RunStopped {
      line.finish(text(of: stopped.stage, run))
      throw Interrupted()
    } catch {
      line.finish()
      throw error
    }
  }

  private func text(of stage: RunStopped.Stage, _ run: Run) -> String {
    switch stage {
    case .beforeFirstStep:
      "stopped before its first step; "
        + (run.folder.isBegun ? "to resume: \(resumption)" : "nothing was written")
    case .afterStep(let step): "stopped after step \(step); to resume: \(resumption)"
    case .beforeValidation: "stopped before its validation; to resume: \(resumption)"
    case .beforeResult: "stopped before the result; to get it: \(resumption)"
    }
  }

  private func show(_ event: RunEvent) {
    switch event {
    case .choosing(let done, let count): line.show(labelled("images to choose by"), done, of: count)
    case .encoding(let done, let count): line.show(labelled("features of images"), done, of: count)
    case .begins(let summary):
      guard label != nil else { return announce(summary) }
      for warning in summary.warnings { line.finish(labelled("warning: \(warning)")) }
    case .step(let progress): line.show(labelled(description(of: progress)), fraction: progress.fraction)
    case .epoch(let metrics, let count): if label == nil { line.finish(description(of: metrics, count)) }
    case .diverged(let divergence): line.finish(labelled("warning: \(divergence.text)"))
    case .evaluating(let what, let done, let count): line.show(labelled(text(of: what)), done, of: count)
    case .base: if label == nil { note("two trainings: that of the base, then that of the head on it") }
    case .trying(let budget, let number, let count): note("budget \(grouped(budget)), \(number) of \(count)")
    case .judged(let score):
      line.finish("budget \(grouped(score.budget)): val \(percent(score.validationAccuracy)) %")
    case .chose(let budget): note("budget \(grouped(budget)) is the best on val; trained again on train and val")
    case .reused(let count):
      guard label == nil else { return }
      line.finish()
      note("features of \(plural(count, "image")) came from the cache")
    case .cacheFailed(let problem):
      line.finish()
      warnOnce(["features are not kept for other runs: \(problem)"])
    }
  }

  private func text(of evaluated: RunEvent.Evaluated) -> String {
    switch evaluated {
    case .validation: "validation images"
    case .frozen: "test images, before tuning"
    case .tuned: "test images"
    }
  }

  private func labelled(_ text: String) -> String { label.map { "\($0)  \(text)" } ?? text }

  /// Prints the plan of a run before it starts.
  private func announce(_ summary: RunSummary) {
    line.finish()
    let (configuration, recipe) = (summary.configuration, summary.configuration.recipe)
    note(
      "\(configuration.title), \(plural(summary.images, "image")) of "
        + "\(plural(configuration.data.classes.count, "class", "classes")), "
        + "\(plural(recipe.epochs, "epoch")) of \(plural(summary.stepsPerEpoch, "step")), "
        + "\(grouped(summary.trainedCount)) trainable parameters")
    if let stages = summary.stages {
      note(
        "\(plural(stages.encoder, "step")) of the encoder alone, then \(plural(stages.head, "step")) of the head alone")
    }
    if summary.hasFrozenEncoder {
      let isUnusual = !recipe.augments && recipe.shift == nil
      note(
        summary.isCached
          ? "features of the frozen encoder were computed once and are reused in every epoch"
          : "\(isUnusual ? "warning: " : "")features are computed again in every epoch, as \(reason(recipe))")
    }
    for warning in summary.warnings { note("warning: \(warning)") }
    if summary.stepsDone > 0 { note("resuming after step \(summary.stepsDone)") }
  }

  /// The reason why features of a frozen encoder differ from epoch to epoch.
  private func reason(_ recipe: Recipe) -> String {
    if recipe.augments { return "images are cropped at random (--crop center reuses them)" }
    if recipe.shift != nil { return "images are shifted at random (--crop center instead of --shift reuses them)" }
    return "samples skip branches of the frozen encoder at random (--stochastic-depth 0 reuses them)"
  }

  private func description(of progress: Trainer.Progress) -> String {
    let (stage, atMost) =
      switch progress.stage {
      case .joint: ("", "")
      case .encoder: (" (encoder)", "at most ")
      case .head: (" (head)", "")
      }
    // In the order of importance, as the last parts are left out on a narrow terminal.
    return
      "epoch \(progress.epoch)/\(progress.epochs)\(stage)  "
      + "\(atMost)\(ProgressLine.duration(progress.secondsLeft)) left  "
      + "loss \(String(format: "%.4f", progress.loss))  accuracy \(percent(progress.accuracy)) %  "
      + "step \(progress.step)/\(progress.steps)  \(String(format: "%.1f", progress.imagesPerSecond)) images/s"
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
