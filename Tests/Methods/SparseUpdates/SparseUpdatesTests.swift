import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// A sparse optimiser in both towers: from PyTorch's steps to a delta and to weights (SO (a) to (f)).
@Suite struct SparseUpdatesTests {
  private let golden: TowerGolden
  private let numbers: SafeTensorsFile
  private let towers: TowerPair
  private let method: Method

  init() throws {
    golden = try TowerGolden()
    numbers = try SafeTensorsFile(contentsOf: Fixtures.embedded.appendingPathComponent("towers/so.safetensors"))
    towers = TowerPair(image: golden.model.vision, text: golden.model.text)
    method = Method(
      encoder: SparseUpdates(towers),
      head: EncodedTexts(texts: golden.texts(), logitScale: golden.model.logitScale), tower: towers.image)
  }

  private func images() throws -> Method.Input { .images(try golden.tensor("images")) }

  /// Gradients of up to 10 have errors of 1e-5 in single precision; Adam divides them by their size, so that a moment
  /// of a hundredth of the others is off by 1 % of a step of at most 0.02 · 3.16.
  @Test func sevenStepsAreThoseOfPyTorch() throws {
    var supports: [String: [Int]] = [:]
    for name in numbers.names where name.hasPrefix("support.") {
      supports[name] = try numbers.integers(name).map { Int($0) }
    }
    var optimizer = SparseAdam(method.slots, density: 0.06, refresh: 2) { [supports] matrix, step, _, _ in
      supports["support.\(step).\(matrix)"] ?? []
    }
    var (values, losses) = (method.trainables.map(\.initial), [Double]())
    let labels = (0..<4).map { Int32($0 * 3 % 5) }
    for (step, rate) in try numbers.tensor("rates").values.enumerated() {
      let found = method.step(try images(), labels: labels, values: values, seed: 1, step: step)
      losses.append(found.terms[0].value)
      optimizer.step(parameters: &values, gradients: found.gradients, learningRate: Double(rate))
    }
    let tolerance = GradientCheck.isDouble ? 2e-6 : 3e-4
    let wanted = try numbers.tensor("losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: 0, atol: 10 * tolerance, "losses")
    for (trainable, value) in zip(method.trainables, values) {
      let end = try numbers.tensor("end.\(trainable.name)")
      expectClose(value, end, rtol: tolerance, atol: tolerance, trainable.name)
    }
    let logits = try method.logits(images(), values: values)
    expectClose(logits, try numbers.tensor("logits"), rtol: 0, atol: 50 * tolerance, "logits")
    let names = method.slots.map { $0.group ?? $0.name }
    let matrices = names.indices.filter { $0 == 0 || names[$0] != names[$0 - 1] }.map { names[$0] }
    #expect(matrices.count == 16)
    for (index, name) in matrices.enumerated() {
      let entries = try numbers.integers("entries.\(index)").map { Int($0) }
      let places = optimizer.state["\(name).support"]?.values ?? []
      let width = name.hasSuffix("down") ? 12 : 8
      let own = places.indices.filter { $0 % 2 == 0 }.map { Int(places[$0]) * width + Int(places[$0 + 1]) }
      #expect(own == entries, "\(name)")
      for part in ["first", "second"] {
        let moments = try #require(optimizer.state["\(name).\(part)-moment"])
        expectClose(moments, try numbers.tensor("\(part).\(index)"), rtol: 1e-2, atol: tolerance, "\(name) \(part)")
      }
      let union = try numbers.integers("union")[index]
      #expect(union <= 2 * Int64(entries.count))
    }
  }

  /// Six matrices of each block of both towers, query, key and value as one.
  @Test func matricesOfBothTowersAreTrained() {
    #expect(method.trainables.count == 24)
    #expect(method.trainables.allSatisfy { $0.initial.shape.rank == 2 })
    let groups = method.slots.map(\.group)
    let fused: String? = "vision.blocks.0.attention"
    #expect(groups.prefix(4) == [fused, fused, fused, nil])
    #expect(Set(groups.compactMap(\.self)).count == 4)
    #expect(method.trainedCount == 4 * (4 * 64 + 2 * 96))
  }

  private var delta: Delta {
    Delta(
      .init(
        method: "so", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean, cleaning: "published",
        alpha: nil))
  }

  /// Values of which a few, many or no entries differ from the model's.
  private var moved: [Tensor] {
    method.trainables.enumerated().map { index, trainable in
      var value = trainable.initial
      let step = [7, 1, 31, 1000][index % 4]
      value.write { into in
        for position in stride(from: 3, to: trainable.initial.count, by: step) { into[position] = -3 * into[position] }
      }
      return value
    }
  }

  /// Entries where they are smaller, whole matrices where these are, to the bit.
  @Test func aDeltaHasTheSameBits() throws {
    let values = moved
    var delta = delta
    method.encoder.write(values, to: &delta)
    #expect(delta.indices.count == 18 && delta.tensors.count == 24)
    #expect(delta.tensors.keys.count { $0.hasSuffix(".sparse.values") } == 18)
    let changed = zip(method.trainables, values).reduce(0) { sum, pair in
      sum + zip(pair.0.initial.values, pair.1.values).count { $0 != $1 }
    }
    #expect(method.encoder.changedCount(values) == changed)
    let read = try StoredDelta.reread(delta, for: towers)
    let text = golden.texts().settledClassifier(read.pass(on: towers))
    let tuned = read.method(on: towers.image, text: (text, golden.model.logitScale))
    let wanted = try method.logits(images(), values: values)
    #expect(try tuned.logits(images(), values: []) == wanted)
    #expect(try wanted != method.logits(images(), values: method.trainables.map(\.initial)))
    let merged = try delta.merged(into: towers.parameters)
    #expect(merged.count == 24)
    for (trainable, value) in zip(method.trainables, values) {
      #expect(merged.first { $0.site == trainable.name }?.value == value, "\(trainable.name)")
    }
  }

  @Test func nothingIsStoredOfWhatStayed() throws {
    var delta = delta
    method.encoder.write(method.trainables.map(\.initial), to: &delta)
    #expect(delta.indices.isEmpty && delta.tensors.isEmpty)
    #expect(method.encoder.changedCount(method.trainables.map(\.initial)) == 0)
    let text = golden.texts().classifier(Pass()).value
    let frozen = Method(
      encoder: FrozenEncoder(), head: ZeroShot(textFeatures: text, logitScale: golden.model.logitScale),
      tower: towers.image)
    let start = try method.logits(images(), values: method.trainables.map(\.initial))
    #expect(try start == frozen.logits(images(), values: []))
  }

  @Test func brokenEntriesAreRefused() throws {
    var delta = delta
    method.encoder.write(moved, to: &delta)
    let site = try #require(delta.indices.keys.sorted().first)
    let name = DeltaEntry.newEntries(site: site).name
    var short = delta
    short.tensors[name] = .zeros([1 + (delta.tensors[name]?.count ?? 0)])
    StoredDelta.expectRefusal(short, for: towers, name)
    var without = delta
    without.tensors[name] = nil
    StoredDelta.expectRefusal(without, for: towers, "\(site).sparse")
    var stray = delta
    stray.indices[site] = nil
    StoredDelta.expectRefusal(stray, for: towers, name)
  }

  private static func recipe(shots: Int?) -> Recipe {
    SparseUpdatesMethod().recipe(PublishedSetting(benchmark: nil, shots: shots, fidelity: .official))
  }

  @Test func theRecipeIsTheAuthors() throws {
    for (shots, steps) in [(1, 2000), (4, 8000), (16, 32_000), (nil, 32_000)] as [(Int?, Int)] {
      let recipe = Self.recipe(shots: shots)
      #expect(recipe.steps == steps && recipe.batchSize == 32 && recipe.keepsLastBatch == true)
      #expect(recipe.augments && recipe.smallestCrop == 0.08 && recipe.stopLoss == 0.01)
      let optimizer = recipe.encoder
      #expect(optimizer.kind == .sparseAdam && optimizer.weightDecay == 0 && optimizer.isStepwise == true)
      #expect(optimizer.density == 5e-5 && optimizer.refresh == 5)
      let schedule = optimizer.schedule(epochs: steps)
      #expect(schedule.rate(at: 0) == 2e-4 && abs(schedule.rate(at: steps) - 1e-6) < 1e-12)
    }
    #expect(Self.recipe(shots: 16).epochs(images: 1600) == 640)
    #expect(MethodName("so")?.templates(.dtd) == ["a photo of a {}."])
    var recipe = Self.recipe(shots: 1)
    (recipe.encoder.density, recipe.stopLoss) = (0, 0)
    #expect(recipe.problem == "recipe.stopLoss: expected above 0, found 0.0")
    recipe.stopLoss = nil
    #expect(recipe.problem == "recipe.encoder.density: expected above 0, at most 1, found 0.0")
    (recipe.encoder.density, recipe.encoder.refresh) = (nil, 0)
    #expect(recipe.problem == "recipe.encoder.refresh: expected 1 or more, found 0")
  }

  @Test func whatCannotBeTunedIsRefused() throws {
    let resNet = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let configuration = CLIPConfiguration(vision: resNet, text: TextTower.configuration, embedding: 5)
    let tower = CLIP.random(configuration, seed: 1).vision
    var recipe = Self.recipe(shots: 16)
    let error = #expect(throws: SettingError.self) { try SparseUpdatesMethod().check(tower, recipe, .official) }
    #expect(error?.description.contains("which has no blocks of attention, found so") == true)
    recipe.stochasticDepth = 0.1
    #expect(throws: SettingError.self) { try SparseUpdatesMethod().check(recipe) }
    #expect(try #require(MethodName("so+task-res")).refusal?.alone == "so")
  }

  /// Four epochs, of which the first has a mean loss below the limit: a run that is there is at its end.
  @Test(arguments: [(1e4, 1), (1e-9, 4)]) func aSmallLossEndsTheRun(_ limit: Double, _ epochs: Int) throws {
    let fixture = try RunFixture()
    let run = try SteppedRun(
      try fixture.makeRun("so", folder: "run") { ($0.epochs, $0.batchSize, $0.stopLoss) = (4, 3, limit) })
    try run.base.folder.create(run.base.configuration)
    let first = try run.run()
    #expect(first.isFinished && first.state.epoch == epochs && first.state.steps == 3 * epochs)
    #expect(first.metrics.count == epochs)
    let again = try run.run()
    #expect(again.isFinished && again.state.epoch == epochs && again.state.values == first.state.values)
    let result = try run.finish(again.state)
    #expect(result.epoch == epochs && result.reason.contains("loss") == (epochs == 1))
    #expect(result.changedParameters ?? 0 > 0 && result.changedParameters ?? 0 <= 6 * 3 * epochs * 24)
  }

  /// The loss of an epoch counts images, not batches: 3, 3 and 2 of them.
  @Test func theLossOfAnEpochIsThatOfItsImages() throws {
    let run = try SteppedRun(try RunFixture().makeRun("so", folder: "run") { $0.batchSize = 3 })
    var (state, sum) = (run.trainer.start(), 0.0)
    for (index, batch) in run.trainer.batches(of: 0).enumerated() {
      let labels = batch.map { run.trainer.source.labels[$0] }
      let step = run.method.step(
        try run.trainer.source.input(batch, epoch: 0), labels: labels, values: state.values, seed: 1, step: index)
      sum += step.terms[0].value * Double(batch.count)
      state.apply(step, epoch: 0, count: batch.count)
    }
    #expect(state.sums.pictures == 8 && abs(state.sums.meanLoss - sum / 8) < 1e-12)
    #expect(state.sums.meanLoss != state.sums.mean("loss"))
  }
}
