import Checks
import Datasets
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

@Suite struct TrainerTests {
  /// A trainer on features, of which only the shapes matter.
  private func trainer(
    pictures: Int, batch: Int, epochs: Int = 2, rate: Double? = nil
  ) throws -> (Trainer, TemporaryFolder) {
    let folder = try TemporaryFolder()
    let model = try TinyCLIP.model()
    let method = Method(
      encoder: FrozenEncoder(),
      head: TaskRes(textFeatures: TinyCLIP.textFeatures, alpha: 0.5, logitScale: model.logitScale), tower: model.vision)
    var recipe = MethodName(frozenWith: "task-res").recipe(
      PublishedSetting(benchmark: nil, shots: 1, fidelity: .official))
    (recipe.epochs, recipe.batchSize) = (epochs, batch)
    if let rate { recipe.head.learningRate = rate }
    let configuration = RunConfiguration(
      method: MethodName(frozenWith: "task-res"), fidelity: .official, benchmark: nil, shots: nil, seed: 3,
      model: .init(path: "", sha256: ""), data: .init(path: "", classes: ["a"], sha256: ""), templates: ["{}"],
      ensembling: .rawMean, cleaning: "published", truncates: false, recipe: recipe, selection: .last,
      skipsUnreadable: false)
    let features = CheckNumbers(seed: 4).tensor([pictures, TinyCLIP.embedding], scale: 1)
    let source = TrainingSource.features(features, labels: TinyCLIP.labels(pictures))
    return (try Trainer(method, on: source, configuration, in: RunFolder(folder.url)), folder)
  }

  @Test(arguments: [(1, 1, 1), (1, 4, 1), (3, 4, 1), (4, 4, 1), (5, 4, 1), (7, 4, 1), (8, 4, 2), (11, 3, 3)])
  func aLastBatchThatIsNotFullCountsOnlyAlone(pictures: Int, batch: Int, steps: Int) throws {
    let (trainer, folder) = try trainer(pictures: pictures, batch: batch)
    defer { withExtendedLifetime(folder) {} }
    #expect(trainer.stepsPerEpoch == steps)
    var state = trainer.start()
    var seen: [Trainer.Progress] = []
    #expect(
      try trainer.run(
        &state,
        report: { event in
          if case .step(let progress) = event { seen.append(progress) }
        }))
    #expect(state.steps == 2 * steps && state.epoch == 2)
    #expect(seen.map(\.step) == Array(1...steps) + Array(1...steps))
    #expect(seen.map(\.epoch) == Array(repeating: 1, count: steps) + Array(repeating: 2, count: steps))
    #expect(seen.allSatisfy { $0.steps == steps && $0.epochs == 2 && $0.loss.isFinite && $0.imagesPerSecond > 0 })
    #expect(seen.last?.secondsLeft == 0)
    // The pace of the time left is read after the other, and so no higher: at least the steps that are left are in it.
    for (index, progress) in seen.enumerated() {
      let left = Double((seen.count - 1 - index) * min(batch, pictures))
      #expect(progress.secondsLeft * progress.imagesPerSecond >= left * (1 - 1e-12))
    }
  }

  @Test func aRunThatWasAskedToStopStopsAfterThatStep() throws {
    for stop in 1...3 {
      let (trainer, folder) = try trainer(pictures: 8, batch: 4)
      defer { withExtendedLifetime(folder) {} }
      var (state, taken) = (trainer.start(), 0)
      let isFinished = try trainer.run(
        &state, shouldStop: { taken >= stop }, report: { if case .step = $0 { taken += 1 } })
      #expect(!isFinished && taken == stop && state.steps == stop && state.epoch == stop / 2)
      #expect(folder.contents.contains("checkpoint.safetensors"))
    }
  }

  /// The first epoch is the warm-up; the only step of the second has a loss before it moves to infinity.
  @Test func whatTheLastStepBreaksIsBlamedOnTheTraining() throws {
    guard "\(Real.self)" == "Float" else { return }
    let (trainer, folder) = try trainer(pictures: 4, batch: 4, rate: 1e300)
    defer { withExtendedLifetime(folder) {} }
    var state = trainer.start()
    let error = #expect(throws: RunError.self) { _ = try trainer.run(&state) }
    let (text, place) = (error?.description ?? "", "epoch 2: classifier.residual: expected a finite number, found ")
    #expect(text.hasPrefix(place) && text.contains("training diverged (learning rate 1e+300)"), "\(text)")
  }

  @Test func metricsAreMeansOverTheStepsOfAnEpoch() throws {
    let (trainer, folder) = try trainer(pictures: 8, batch: 4)
    var state = trainer.start()
    var (losses, metrics) = ([Double](), [EpochMetrics]())
    _ = try trainer.run(
      &state,
      report: { event in
        switch event {
        case .step(let progress): losses.append(progress.loss)
        case .epoch(let epoch): metrics.append(epoch)
        }
      })
    #expect(metrics.map(\.epoch) == [1, 2] && metrics.map(\.steps) == [2, 4])
    #expect(metrics.map { $0.terms["loss"] } == [losses[1], losses[3]])
    #expect(metrics.map { $0.learningRates["head"] } == [1e-5, 2e-3])
    #expect(metrics.allSatisfy { $0.validationAccuracy == nil && $0.shares.isEmpty && $0.seconds > 0 })
    let lines = try String(contentsOf: folder.url.appendingPathComponent("metrics.jsonl"), encoding: .utf8)
    #expect(lines.split(separator: "\n").count == 2 && lines.hasSuffix("\n"))
  }

  @Test func aLossThatIsNoNumberEndsTheRun() throws {
    let (trainer, folder) = try trainer(pictures: 4, batch: 4)
    var state = trainer.start()
    state.values[0] = Tensor(state.values[0].shape, repeating: .nan)
    #expect(throws: RunError.self) { try trainer.run(&state) }
    #expect(folder.contents.isEmpty)
  }

  /// Counts that only a checkpoint made by hand can have.
  @Test(arguments: [(-1, 0, 0), (3, 6, 0), (0, 0, 2), (0, 1, 0), (1, 1, 0), (0, 5, 1)])
  func impossibleStatesAreRefused(epoch: Int, steps: Int, inEpoch: Int) throws {
    let (trainer, folder) = try trainer(pictures: 8, batch: 4)
    var state = trainer.start()
    (state.epoch, state.steps, state.sums.steps) = (epoch, steps, inEpoch)
    #expect(throws: RunError.self) { try trainer.run(&state) }
    #expect(folder.contents.isEmpty)
  }

  @Test func learningRatesOfAllStepsFollowTheSchedule() throws {
    let fixture = try RunFixture()
    let run = try SteppedRun(try fixture.makeRun("r-amt", folder: "run"))
    let rates = [1, 0.75, 0.25].map { 2e-3 * $0 }
    expectClose(run.trainer.encoderRates, rates.flatMap { [$0, $0] }, rtol: 1e-12, atol: 0)
  }

  @Test func aTrainerMovesOnlyWhatIsTrained() throws {
    let fixture = try RunFixture()
    let run = try SteppedRun(try fixture.makeRun("r-amt+task-res", folder: "run"))
    try run.base.folder.create(run.base.configuration)
    let start = run.trainer.start()
    let state = try run.run().state
    #expect(state.values.count == 14)
    for (before, after) in zip(start.values, state.values) { #expect(before.shape == after.shape && before != after) }
    // R-PMT leaves every entry it did not choose where it started.
    let chosen = try SteppedRun(
      try fixture.makeRun("r-pmt", folder: "chosen") {
        $0[MaskTuningSettings.self]?.tunedShare = 0.01
      })
    try chosen.base.folder.create(chosen.base.configuration)
    let values = try chosen.run().state.values.flatMap(\.values)
    let moved = values.count { $0 != MaskTuning.initialMask }
    let share = Int((0.01 * Double(values.count)).rounded())
    #expect(chosen.method.trainedCount == share && moved > 0 && moved <= share)
    #expect(run.method.trainedCount == state.values.reduce(0) { $0 + $1.count })
  }
}
