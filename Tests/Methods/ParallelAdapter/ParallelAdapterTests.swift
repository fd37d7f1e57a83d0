import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Bottlenecks parallel to MLPs: from PyTorch's steps to a delta (AdaptFormer (a) to (d)).
@Suite struct ParallelAdapterTests {
  private static let towers: [any ImageTower] = [
    VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 6, hiddenWidth: 7, blocks: 2, heads: 3, activation: .gelu, epsilon: 1e-6), imageSize: 9,
        patchSize: 3, form: .classifier), seed: 1),
    ImageBackbone.random(
      .swin(SwinConfiguration(blocks: [1, 1], heads: [2, 2], width: 4, window: 2, imageSize: 8, patchSize: 2)),
      classes: nil, seed: 1
    ).tower,
  ]

  private static func bottlenecks(_ tower: any ImageTower, dropout: Double = 0.1, seed: UInt64 = 1) -> ParallelAdapter {
    ParallelAdapter(tower, rank: 4, scale: 0.1, dropout: dropout, seed: seed)
  }

  private static func moved(_ tuning: ParallelAdapter) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return tuning.trainables.map { numbers.next($0.initial.shape) }
  }

  private static func delta(_ tuning: ParallelAdapter, _ values: [Tensor]) -> Delta {
    var delta = Delta(
      .init(
        method: "adaptformer", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    tuning.write(values, to: &delta)
    return delta
  }

  /// AdaptFormer (a) and (b).
  @Test func threeStepsAreThoseOfPyTorch() throws {
    let golden = try EncoderGolden()
    try golden.compare("adaptformer", ParallelAdapter(golden.model.vision, rank: 3, scale: 0.1, dropout: 0, seed: 1))
  }

  @Test func trainedParametersAreThePublishedCount() {
    let tuning = ParallelAdapter(PlainTuningTests.ShapeTower(), rank: 64, scale: 0.1, dropout: 0, seed: 1)
    #expect(tuning.trainables.reduce(0) { $0 + $1.count } == 1_189_632)
  }

  /// D in ±1/√6, all else zero (AdaptFormer (c)).
  @Test(arguments: towers.indices) func itStartsWithoutEffect(_ index: Int) {
    let tower = Self.towers[index]
    let tuning = Self.bottlenecks(tower)
    for (trainable, part) in zip(tuning.trainables, ["down", "down.bias", "up", "up.bias"]) {
      #expect(trainable.name == "\(tower.parallelSites[0].site.name).branch.\(part)")
      #expect(trainable.isDecayed == !part.hasSuffix("bias"))
      let largest = trainable.initial.values.map { abs($0) }.max() ?? 0
      let bound = 1 / Real(tower.parallelSites[0].width).squareRoot()
      #expect(part == "down" ? largest <= bound && largest > 0.7 * bound : largest == 0)
    }
    #expect(Self.bottlenecks(tower, seed: 2).trainables[0].initial != tuning.trainables[0].initial)
    let images = Variable(CheckNumbers(seed: 5).tensor([3, 3, tower.imageSize, tower.imageSize], scale: 1.5))
    func features(_ values: [Tensor]) -> Tensor {
      tower(images, Pass(tunings: tuning.tunings(values.map { Variable($0) }))).value
    }
    let plain = tower(images, Pass()).value
    #expect(features(tuning.trainables.map(\.initial)) == plain)
    let values = Self.moved(tuning)
    let found = features(values)
    #expect(zip(found.values, plain.values).contains { abs($0 - $1) > 1e-2 })
    for position in values.indices {
      var others = values
      others[position] = others[position].scaled(by: 0.5)
      #expect(features(others) != found, "\(tuning.trainables[position].name)")
    }
  }

  /// What is dropped lies between the maps: with U zero nothing is, and b is always added (AdaptFormer (b)).
  @Test func elementsAreDroppedInTraining() {
    let tower = Self.towers[0]
    let tuning = Self.bottlenecks(tower, dropout: 0.5)
    let images = Variable(CheckNumbers(seed: 5).tensor([3, 3, 9, 9], scale: 1.5))
    func features(_ values: [Tensor], step: Int?) -> Tensor {
      let draws = step.map { TrainingDraws(seed: 1, step: $0) }
      return tower(images, Pass(tunings: tuning.tunings(values.map { Variable($0) }), draws: draws)).value
    }
    let values = Self.moved(tuning)
    #expect(features(values, step: 0) != features(values, step: nil))
    #expect(features(values, step: 0) != features(values, step: 1))
    let closed = values.enumerated().map { $0 % 4 == 2 ? $1.scaled(by: 0) : $1 }
    #expect(features(closed, step: 0) == features(closed, step: nil))
  }

  @Test func aDeltaHasTheSameBits() throws {
    let model = try TinyCLIP.model()
    let tuning = Self.bottlenecks(model.vision)
    let values = Self.moved(tuning)
    let stored = try StoredDelta(Self.delta(tuning, values), of: tuning, on: model.vision)
    let images = Method.Input.images(TinyCLIP.images(4))
    #expect(stored.read.logits(images, values: []) == stored.made.logits(images, values: values))
  }

  @Test func bottlenecksAreNotMerged() {
    let tuning = Self.bottlenecks(Self.towers[0])
    let error = #expect(throws: ExportError.self) {
      try Self.delta(tuning, Self.moved(tuning)).merged(into: Self.towers[0].parameters)
    }
    #expect(error?.description.contains("branches without activation, which weights can hold") == true)
  }

  private static let strangers: [(String, @Sendable (inout Delta) -> Void, String)] = [
    (
      "another block",
      { delta in
        let renamed = delta.tensors.map { ($0.replacing("blocks.1", with: "blocks.7"), $1) }
        delta.tensors = Dictionary(uniqueKeysWithValues: renamed)
      },
      "expected bottlenecks parallel to MLPs of the image encoder, found \"vision.blocks.7.mlp.parallel\""
    ),
    (
      "a missing bias", { $0.tensors["vision.blocks.0.mlp.parallel.branch.up.bias"] = nil },
      "expected tensor \"vision.blocks.0.mlp.parallel.branch.up.bias\""
    ),
    (
      "two ranks", { $0.tensors["vision.blocks.0.mlp.parallel.branch.up"] = .zeros([8, 3]) },
      "expected a bottleneck of one rank and of width 8 at vision.blocks.0.mlp.parallel, found [4, 8], [4], [8, 3], [8]"
    ),
    (
      "no scale", { $0.description.parallelScale = nil },
      "expected a scale above 0 for \"vision.blocks.0.mlp.parallel\", found none"
    ),
    (
      "a strange part", { $0.tensors["vision.blocks.0.mlp.parallel.branch.middle"] = .zeros([4]) },
      "found \"vision.blocks.0.mlp.parallel.branch.middle\" of shape [4]"
    ),
  ]

  @Test(arguments: strangers.indices) func strangersAreRefused(_ index: Int) throws {
    let (name, change, text) = Self.strangers[index]
    let model = try TinyCLIP.model()
    let tuning = Self.bottlenecks(model.vision)
    var delta = Self.delta(tuning, Self.moved(tuning))
    change(&delta)
    StoredDelta.expectRefusal(delta, for: model.vision, text, name)
  }

  @Test func aTowerWithoutTransformerBlocksIsRefused() {
    let vision = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let configuration = CLIPConfiguration(vision: vision, text: TextTower.configuration, embedding: 5)
    let method = ParallelAdapterMethod()
    let recipe = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    let error = #expect(throws: SettingError.self) {
      try method.check(CLIP.random(configuration, seed: 1).vision, recipe, .official)
    }
    #expect(error?.description.contains("which has no transformer blocks, found adaptformer") == true)
    for tower in Self.towers {
      #expect(throws: Never.self) { try method.check(tower, recipe, .official) }
    }
  }

  /// 0.1 · batch / 256, of which a twentieth in epoch 1 and half in epoch 60 (AdaptFormer (d)).
  @Test func theRateFollowsTheBatch() {
    let recipe = ParallelAdapterMethod().recipe(
      PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    let schedule = recipe.encoder.schedule(epochs: recipe.epochs)
    #expect(recipe.encoder.learningRate == 0.1 * Double(recipe.batchSize) / 256 && recipe.encoder.weightDecay == 0)
    #expect([0, 20].map(schedule.rate) == [0, 0.025])
    #expect(abs(schedule.rate(at: 1) - 0.00125) < 1e-15 && abs(schedule.rate(at: 60) - 0.0125) < 1e-15)
  }
}
