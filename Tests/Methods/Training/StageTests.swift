import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// Runs that train the encoder first and then the head: two optimisers, two schedules, one run.
@Suite struct StageTests {
  private let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  /// Three epochs of two steps, of which three train the encoder and three the head: the second epoch belongs to both.
  private static func staged(_ recipe: inout Recipe) {
    recipe.encoderShare = 0.6
    (recipe.encoder.kind, recipe.head.kind) = (.adamw, .adamw)
    (recipe.encoder.isStepwise, recipe.head.isStepwise) = (true, true)
    (recipe.encoder.weightDecay, recipe.head.weightDecay) = (0.1, 0.1)
    (recipe.encoder.warmup, recipe.head.warmup) = (.none, .none)
    (recipe.encoder.minimumLearningRate, recipe.head.minimumLearningRate) = (nil, nil)
    (recipe.encoder.lag, recipe.head.lag) = (nil, nil)
    (recipe.keepsLastBatch, recipe.stochasticDepth) = (nil, nil)
  }

  private static let encoderSteps = 3

  private func steppedRun(
    _ fixture: RunFixture? = nil, _ method: String = "layernorm+task-res", folder: String = "run",
    selection: RunConfiguration.Selection = .last
  ) throws -> SteppedRun {
    let run = try SteppedRun(
      try (fixture ?? self.fixture).makeRun(method, folder: folder, selection: selection, change: Self.staged))
    try run.base.folder.create(run.base.configuration)
    return run
  }

  /// The other half neither moves nor decays, and its optimiser has no state yet; only at the border of the stages does
  /// the head take up what became of the encoder.
  @Test(arguments: ["layernorm+task-res", "2sfs"]) func aStepTrainsTheHalfOfItsStage(_ method: String) throws {
    let run = try steppedRun(nil, method)
    var states = [run.trainer.start()]
    for _ in 0..<6 { states.append(try run.run(steps: 1).state) }
    func half(_ state: TrainingState, _ index: Int) -> [Tensor] {
      let (encoder, head) = run.method.split(state.values)
      return index == 0 ? encoder : head
    }
    #expect(states.map(\.stage) == [.encoder, .encoder, .encoder, .head, .head, .head, .head])
    for (step, pair) in zip(states, states.dropFirst()).enumerated() {
      let trained = step < Self.encoderSteps ? 0 : 1
      #expect(half(pair.0, trained) != half(pair.1, trained), "step \(step + 1)")
      if step + 1 == Self.encoderSteps {
        #expect(pair.1.values == run.method.startingHead(pair.1.values))
      } else {
        #expect(half(pair.0, 1 - trained) == half(pair.1, 1 - trained), "step \(step + 1)")
      }
      let counts = [min(step + 1, Self.encoderSteps), max(0, step + 1 - Self.encoderSteps)]
      #expect(pair.1.optimizers.map(\.optimizer.stepCount) == counts)
    }
    #expect(run.trainer.start().optimizers.map(\.name) == ["encoder", "head"])
  }

  /// Each schedule begins at its peak and would end at its minimum with the stage; metrics name what was trained.
  @Test func eachStageHasAScheduleOfItsOwn() throws {
    let run = try steppedRun()
    let start = run.trainer.start()
    let rates = (0..<6).map { start.rates(epoch: $0 / 2, step: $0) }
    #expect(rates.map(\.count) == Array(repeating: 1, count: 6))
    #expect(rates.map { $0[0].name } == ["encoder", "encoder", "encoder", "head", "head", "head"])
    // ½ (1 + cos(π k / 3)) of 2e-3.
    let want = [2e-3, 1.5e-3, 0.5e-3]
    expectClose(rates.map { $0[0].rate }, want + want, rtol: 1e-12, atol: 0)
    let metrics = try run.run().metrics
    #expect(metrics.map { $0.learningRates.keys.sorted() } == [["encoder"], ["head"], ["head"]])
    expectClose(metrics.compactMap { $0.learningRates.values.first }, [1.5e-3, 2e-3, 0.5e-3], rtol: 1e-12, atol: 0)
  }

  /// In both stages and at their border, with the last epoch or the best.
  @Test(arguments: ["layernorm+task-res", "2sfs"], [RunConfiguration.Selection.last, .validation])
  func stoppingAfterAnyStepChangesNothing(_ method: String, _ selection: RunConfiguration.Selection) throws {
    let pictures = try TemporaryFolder()
    let fixture = try RunFixture.validated(in: pictures).fixture
    func finished(_ run: SteppedRun) throws -> (TrainingState, RunResult, [UInt8]) {
      let (isFinished, state, _) = try run.run()
      #expect(isFinished)
      let result = try run.finish(state)
      return (state, result, try fixture.bytes(run.base.folder.delta))
    }
    let want = try finished(try steppedRun(fixture, method, folder: "whole", selection: selection))
    for steps in 1..<6 {
      let run = try steppedRun(fixture, method, folder: "\(steps)", selection: selection)
      #expect(try !run.run(steps: steps).isFinished)
      // Another process would begin with nothing but the folder.
      let base = try Run(run.base.folder.settings(), fixture.pretrained, run.base.data, in: run.base.folder)
      let found = try finished(SteppedRun(base))
      #expect(found.0.values == want.0.values, "stopped after step \(steps)")
      #expect(found.1 == want.1 && found.2 == want.2, "stopped after step \(steps)")
      for (group, other) in zip(found.0.optimizers, want.0.optimizers) {
        #expect(group.optimizer.state == other.optimizer.state, "stopped after step \(steps)")
      }
    }
  }

  private func gradients(
    _ run: SteppedRun, _ values: [Tensor], _ stage: Method.Stage, step: Int = 0
  ) throws -> (step: Method.Step, encoder: [Tensor], head: [Tensor]) {
    let batch = [0, 1, 2]
    let labels = run.trainer.source.labels
    let found = run.method.step(
      try run.trainer.source.input(batch, epoch: 0), labels: batch.map { labels[$0] }, values: values, seed: 1,
      step: step, stage: stage)
    let (encoder, head) = run.method.split(found.gradients)
    return (found, encoder, head)
  }

  /// The encoder's stage is a joint step with the head at its start; the head's is one whose encoder is a constant.
  @Test func gradientsAreThoseOfAJointStep() throws {
    let run = try steppedRun()
    var numbers = RandomStream(seed: 5, purpose: .initialization, step: 0)
    let moved = run.method.trainables.map { trainable in
      Tensor(trainable.initial.shape, trainable.initial.values.map { $0 + Real(numbers.next() % 2001) / 10_000 - 0.1 })
    }
    let atStart = run.method.startingHead(moved)
    #expect(run.method.split(atStart).encoder == run.method.split(moved).encoder)
    #expect(run.method.split(atStart).head == run.method.head.trainables.map(\.initial))
    let ofEncoder = try gradients(run, moved, .encoder)
    #expect(try ofEncoder.encoder == gradients(run, atStart, .joint).encoder)
    #expect(ofEncoder.head.allSatisfy { $0.values.allSatisfy { $0 == 0 } })
    let ofHead = try gradients(run, moved, .head)
    #expect(try ofHead.head == gradients(run, moved, .joint).head)
    #expect(ofHead.encoder.allSatisfy { $0.values.allSatisfy { $0 == 0 } })
    #expect(ofHead.encoder.map(\.shape) == ofEncoder.encoder.map(\.shape))
  }

  /// An epoch of the encoder's stage is judged, and may be kept, with the head that would start on it.
  @Test func aHeadFollowsTheEncoderUntilItsStage() throws {
    let run = try steppedRun(nil, "2sfs")
    var judged: [[Tensor]] = []
    let trainer = try Trainer(
      run.method, on: run.trainer.source, Self.selecting(run.base.configuration), in: run.base.folder
    ) { values in
      judged.append(values)
      return 10
    }
    var state = trainer.start()
    #expect(try trainer.run(&state))
    #expect(judged.count == 3 && judged.last == state.values)
    #expect(judged[0] == run.method.startingHead(judged[0]) && judged[1] != run.method.startingHead(judged[1]))
    #expect(run.method.split(judged[0]).head != run.method.head.trainables.map(\.initial))
    #expect(state.best?.epoch == 1 && state.best?.values == judged[0])
  }

  private static func selecting(_ configuration: RunConfiguration) -> RunConfiguration {
    var configuration = configuration
    configuration.selection = .validation
    return configuration
  }

  /// A head is trained on the encoder as it is evaluated, and by its own loss alone.
  @Test func theEncoderOfATrainedHeadIsAtRest() throws {
    let run = try steppedRun(nil, "lora+task-res")
    let values = run.method.trainables.map { Tensor($0.initial.shape, repeating: 0.125) }
    func loss(_ stage: Method.Stage, _ step: Int) throws -> Double {
      try gradients(run, values, stage, step: step).step.terms[0].value
    }
    #expect(try loss(.head, 0) == loss(.head, 1))
    #expect(try loss(.encoder, 0) != loss(.encoder, 1))
    let masks = try steppedRun(nil, "r-amt+task-res", folder: "masks")
    let start = masks.method.trainables.map(\.initial)
    #expect(try gradients(masks, start, .joint).step.terms.map(\.name).contains("kl"))
    #expect(try gradients(masks, start, .head).step.terms.map(\.name) == ["loss"])
  }

  /// ⌊share · steps⌋, as the authors of such methods count.
  @Test func theShareIsRoundedDown() {
    var recipe = Recipe(epochs: 1, batchSize: 1, optimizer: OptimizerRecipe(learningRate: 1))
    #expect(recipe.encoderSteps(of: 10) == nil)
    for (share, steps, want) in [(0.6, 300, 180), (0.6, 4800, 2880), (0.6, 3, 1), (0, 5, 0), (1, 5, 5), (0.5, 1, 0)] {
      recipe.encoderShare = share
      #expect(recipe.encoderSteps(of: steps) == want, "\(share) of \(steps)")
    }
  }

  /// A stage may be empty: what it would train stays where it starts.
  @Test(arguments: [0.0, 1]) func aStageMayBeEmpty(_ share: Double) throws {
    let run = try SteppedRun(
      try fixture.makeRun("layernorm+task-res", folder: "run") {
        Self.staged(&$0)
        $0.encoderShare = share
      })
    try run.base.folder.create(run.base.configuration)
    let (isFinished, state, _) = try run.run()
    #expect(isFinished && state.steps == 6)
    let (start, end) = (run.method.split(run.trainer.start().values), run.method.split(state.values))
    #expect((start.encoder == end.encoder) == (share == 0))
    #expect((start.head == end.head) == (share == 1))
  }

  @Test func settingsAreKeptAndChecked() throws {
    var recipe = Recipe(epochs: 1, batchSize: 1, optimizer: OptimizerRecipe(learningRate: 1))
    let without = String(decoding: try JSONEncoder().encode(recipe), as: UTF8.self)
    #expect(!without.contains("encoderShare") && recipe.problem == nil)
    recipe.encoderShare = 0.25
    #expect(recipe.problem?.contains("encoderShare: expected none where schedules advance by epochs") == true)
    (recipe.encoder.isStepwise, recipe.head.isStepwise) = (true, true)
    #expect(recipe.problem == nil)
    let read = try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(recipe))
    #expect(read == recipe && read.encoderShare == 0.25)
    var other = recipe
    other.encoderShare = 0.5
    #expect(other != recipe)
    for share in [-0.1, 1.1, .nan] {
      recipe.encoderShare = share
      #expect(recipe.problem?.contains("recipe.encoderShare: expected 0 to 1") == true)
    }
  }
}
