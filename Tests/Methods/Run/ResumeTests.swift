import Datasets
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// A run that stops after any of its steps and goes on is the run that never stopped.
@Suite struct ResumeTests {
  private struct Outcome: Equatable {
    var delta: [UInt8]
    var result: RunResult
    var metrics: [EpochMetrics]
  }

  /// The metrics of a run without what a clock measured.
  private func metrics(_ folder: RunFolder) throws -> [EpochMetrics] {
    try String(contentsOf: folder.metrics, encoding: .utf8).split(separator: "\n").map { line in
      var metrics = try JSONDecoder().decode(EpochMetrics.self, from: Data(line.utf8))
      (metrics.seconds, metrics.imagesPerSecond) = (0, 0)
      return metrics
    }
  }

  private func finished(_ run: SteppedRun, _ state: TrainingState) throws -> Outcome {
    let result = try run.finish(state)
    let folder = run.base.folder
    return Outcome(delta: [UInt8](try Data(contentsOf: folder.delta)), result: result, metrics: try metrics(folder))
  }

  @Test(arguments: [
    ("r-amt", OptimizerRecipe.Kind.adam), ("r-amt+task-res", .sgd), ("task-res", .adam), ("task-res", .sgd),
    ("r-pmt", .adamw), ("tip-adapter-f", .adamw), ("clip-adapter", .sgd), ("clap", .sgd),
    ("r-amt+tip-adapter-f", .adam), ("prolip", .adam),
    ("coop", .sgd),
    ("clip-lora", .adamw), ("gps", .adam),
    ("so", .sparseAdam),
    ("ssf", .adamw), ("vpt-deep", .sgd), ("adaptformer", .sgd), ("repadapter", .adamw), ("fact-tk", .adamw),
    ("convpass", .adamw), ("bitfit", .adamw), ("layernorm", .adamw),
  ])
  func stoppingAfterAnyStepChangesNothing(method: String, optimizer: OptimizerRecipe.Kind) throws {
    let fixture = try RunFixture()
    func base(_ folder: String) throws -> Run {
      let base = try fixture.makeRun(method, folder: folder) { recipe in
        (recipe.encoder.kind, recipe.head.kind) = (optimizer, optimizer)
        (recipe.head.learningRate, recipe.head.weightDecay) = (3e-3, 0.0625)
        recipe.encoder.density = recipe.encoder.density.map { _ in 0.02 }
        recipe.views = recipe.views.map { min($0, 20) }
        recipe[VisualPromptSettings.self]?.prompts = 3
      }
      try base.folder.create(base.configuration)
      return base
    }
    let whole = try SteppedRun(try base("whole"))
    let (isFinished, want, _) = try whole.run()
    let total = whole.trainer.stepsPerEpoch * 3
    let wantedMetrics = try metrics(whole.base.folder)
    #expect(isFinished && want.steps == total && wantedMetrics.count == 3)
    for steps in 1..<total {
      let run = try SteppedRun(try base("\(steps)"))
      let stopped = try run.run(steps: steps)
      #expect(!stopped.isFinished && stopped.state.steps == steps)
      // Another process would begin with nothing but the folder.
      let resumed = try SteppedRun(try experimentAgain(run.base, fixture))
      let (isFinished, state, _) = try resumed.run()
      #expect(isFinished)
      #expect(state.values == want.values, "stopped after step \(steps)")
      #expect(try metrics(resumed.base.folder) == wantedMetrics, "stopped after step \(steps)")
      for (group, other) in zip(state.optimizers, want.optimizers) {
        #expect(group.optimizer.state == other.optimizer.state && group.optimizer.stepCount == total)
      }
    }
  }

  private func experimentAgain(_ base: Run, _ fixture: RunFixture) throws -> Run {
    try Run(try base.folder.settings(), fixture.pretrained, base.data, in: base.folder)
  }

  @Test func stoppingAfterEveryStepChangesNothing() throws {
    let fixture = try RunFixture()
    let whole = try SteppedRun(try fixture.makeRun("r-amt", folder: "whole"))
    try whole.base.folder.create(whole.base.configuration)
    let want = try finished(whole, try whole.run().state)
    let run = try SteppedRun(try fixture.makeRun("r-amt", folder: "halting"))
    try run.base.folder.create(run.base.configuration)
    var stops = 0
    while true {
      let (isFinished, state, _) = try run.run(steps: 1)
      if isFinished {
        #expect(try finished(run, state) == want)
        break
      }
      stops += 1
      try #require(stops < 100)
    }
    #expect(stops == whole.trainer.stepsPerEpoch * 3 - 1)
  }

  @Test func theBestEpochSurvivesAStop() throws {
    let pictures = try TemporaryFolder()
    let fixture = try RunFixture.validated(in: pictures).fixture
    // Rates so large that accuracy rises and falls again.
    func base(_ folder: String) throws -> Run {
      let base = try fixture.makeRun("r-amt", folder: folder, selection: .validation) { recipe in
        recipe.epochs = 5
        recipe.encoder.course = .constant
      }
      try base.folder.create(base.configuration)
      return base
    }
    let whole = try SteppedRun(try base("whole"))
    let want = try finished(whole, try whole.run().state)
    let accuracies = want.metrics.compactMap(\.validationAccuracy)
    let best = try #require(accuracies.max())
    #expect(accuracies.count == 5)
    #expect(want.result.validationAccuracy == best)
    #expect(want.result.epoch == 1 + (accuracies.firstIndex(of: best) ?? -1))
    #expect(want.result.reason.contains("validation"))
    let total = whole.trainer.stepsPerEpoch * 5
    for steps in stride(from: 1, to: total, by: 3) {
      let run = try SteppedRun(try base("\(steps)"))
      #expect(try !run.run(steps: steps).isFinished)
      #expect(try finished(run, try run.run().state) == want, "stopped after step \(steps)")
    }
  }

  @Test func aFinishedRunTakesNoFurtherStep() throws {
    let fixture = try RunFixture()
    let run = try SteppedRun(try fixture.makeRun("task-res", folder: "run"))
    try run.base.folder.create(run.base.configuration)
    let want = try finished(run, try run.run().state)
    let (isFinished, state, metrics) = try run.run()
    #expect(isFinished && metrics.isEmpty)
    #expect(try finished(run, state) == want)
  }

  @Test func aRunStoppedBeforeItsFirstCheckpointBeginsAgain() throws {
    let fixture = try RunFixture()
    let run = try SteppedRun(try fixture.makeRun("task-res", folder: "run"))
    try run.base.folder.create(run.base.configuration)
    var state = run.trainer.start()
    try state.resume(from: run.base.folder.checkpoint, run.base.configuration)
    #expect(state.steps == 0 && state.epoch == 0)
  }
}
