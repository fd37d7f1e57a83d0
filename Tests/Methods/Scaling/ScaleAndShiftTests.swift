import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Outputs with factors and offsets: from PyTorch's steps to a delta and to weights (SSF (a) to (d)).
@Suite struct ScaleAndShiftTests {
  private static let towers: [any ImageTower] = {
    func transformer(_ form: VisionConfiguration.Form) -> VisionTransformer {
      .random(
        VisionConfiguration(
          transformer: TransformerConfiguration(
            width: 6, hiddenWidth: 7, blocks: 2, heads: 3, activation: .gelu, epsilon: 1e-6), imageSize: 9,
          patchSize: 3, form: form), seed: 1)
    }
    return [transformer(.classifier), transformer(.clip)]
  }()

  private static func moved(_ tuning: ScaleAndShift) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return tuning.trainables.map { trainable in
      trainable.initial.zipped(numbers.next(trainable.initial.shape, scale: 0.5)) { $0 + $1 }
    }
  }

  private static func delta(_ tuning: ScaleAndShift, _ values: [Tensor]) -> Delta {
    var delta = Delta(
      .init(
        method: "ssf", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    tuning.write(values, to: &delta)
    return delta
  }

  @Test func threeStepsAreThoseOfPyTorch() throws {
    let golden = try EncoderGolden()
    try golden.compare("ssf", ScaleAndShift(golden.model.vision, seed: 1))
  }

  /// SSF (b).
  @Test func initialValuesAreAroundTheIdentityAndNotDecayed() {
    let tuning = ScaleAndShift(Self.towers[0], seed: 1)
    for trainable in tuning.trainables {
      let mean: Real = trainable.name.hasSuffix(".factor") ? 1 : 0
      #expect(trainable.initial.values.allSatisfy { $0 != mean && abs($0 - mean) < 0.1 }, "\(trainable.name)")
      #expect(!trainable.isDecayed)
    }
    #expect(Set(tuning.trainables.map { $0.initial.values }).count == tuning.trainables.count)
    #expect(ScaleAndShift(Self.towers[0], seed: 2).trainables[0].initial != tuning.trainables[0].initial)
  }

  @Test func trainedParametersAreThePublishedCount() {
    #expect(ScaleAndShift(PlainTuningTests.ShapeTower(), seed: 1).trainables.reduce(0) { $0 + $1.count } == 205_824)
  }

  /// A map without bias has no offset; the projection of a CLIP is no part of the tuning (SSF (a)).
  @Test(arguments: 0..<2) func everyMapAndNormIsTuned(_ index: Int) {
    let names = Set(ScaleAndShift(Self.towers[index], seed: 1).trainables.map(\.name))
    let parameters = Self.towers[index].parameters.map(\.site.name)
    let expected = parameters.compactMap { name -> String? in
      if ["classToken", "positions", "projection"].contains(where: name.hasSuffix) { return nil }
      if name.hasSuffix(".shift") { return "\(name.dropLast(5))scale.offset" }
      return name.hasSuffix(".bias") ? "\(name.dropLast(5)).offset" : "\(name).factor"
    }
    #expect(names == Set(expected))
    #expect(names.contains("vision.patchEmbedding.offset") == (index == 0))
  }

  /// (γ ⊙ W) x + γ ⊙ b + β is γ ⊙ (W x + b) + β but for rounding: four blocks' worth of sums of 27 terms at most
  /// (SSF (c)).
  @Test(arguments: 0..<2) func mergedWeightsAreTheTunedModel(_ index: Int) throws {
    let tower = Self.towers[index]
    let tuning = ScaleAndShift(tower, seed: 1)
    let values = Self.moved(tuning)
    let merged = try Self.delta(tuning, values).merged(into: tower.parameters)
    let bySite = Dictionary(uniqueKeysWithValues: tower.parameters.map { ($0.site.name, $0.site) })
    #expect(merged.count == tuning.trainables.count)
    let images = Variable(CheckNumbers(seed: 5).tensor([3, 3, 9, 9], scale: 1.5))
    let replaced = Dictionary(
      uniqueKeysWithValues: try merged.map { (try #require(bySite[$0.site]), Tuning.replaced(Variable($0.value))) })
    let tuned = tower(images, Pass(tunings: tuning.tunings(values.map { Variable($0) }))).value
    let tolerance = GradientCheck.isDouble ? 1e-12 : 5e-5
    expectClose(tower(images, Pass(tunings: replaced)).value, tuned, rtol: tolerance, atol: tolerance)
    #expect(tower(images, Pass()).value != tuned)
  }

  @Test func aDeltaHasTheSameBits() throws {
    let model = try TinyCLIP.model()
    let tuning = ScaleAndShift(model.vision, seed: 1)
    let values = Self.moved(tuning)
    let stored = try StoredDelta(Self.delta(tuning, values), of: tuning, on: model.vision)
    let images = Method.Input.images(TinyCLIP.images(4))
    #expect(stored.read.logits(images, values: []) == stored.made.logits(images, values: values))
  }

  @Test(arguments: [
    ("vision.positions.factor", [5], "expected factors of maps and norms of the image encoder, found"),
    ("vision.projection.factor", [6], "expected factors of maps and norms of the image encoder, found"),
    ("vision.stranger.factor", [6], "found \"vision.stranger.factor\""),
    ("vision.blocks.0.mlp.up.factor", [11], "found \"vision.blocks.0.mlp.up.factor\" of shape [11]"),
    ("vision.blocks.0.mlp.up.factor", [12], "expected tensor \"vision.blocks.0.mlp.up.offset\" beside"),
    ("vision.blocks.0.mlp.up.offset", [12], "expected offsets of maps and norms that have a bias and factors"),
    ("vision.patchEmbedding.offset", [8], "expected offsets of maps and norms that have a bias and factors"),
  ]) func strangersAreRefused(_ name: String, _ extents: [Int], _ text: String) throws {
    let model = try TinyCLIP.model()
    var delta = Self.delta(ScaleAndShift(model.vision, seed: 1), [])
    delta.tensors = [name: .zeros(Shape(extents))]
    StoredDelta.expectRefusal(delta, for: model.vision, text)
  }

  /// A ramp of ten epochs from 1e-7 in half a cosine of 100 to 1e-8 (SSF (d)).
  @Test func theRecipeIsTheAuthors() {
    let recipe = ScaleAndShiftMethod().recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    let optimizer = recipe.encoder
    #expect(recipe.epochs == 100 && recipe.batchSize == 64 && recipe.keepsLastBatch == true)
    #expect(optimizer.kind == .adamw && optimizer.weightDecay == 5e-5)
    let schedule = optimizer.schedule(epochs: recipe.epochs)
    expectClose(
      [0, 5, 10, 50, 100].map { schedule.rate(at: $0) }, [1e-7, 2.50005e-3, 4.8776415e-3, 2.500005e-3, 1e-8],
      rtol: 1e-6, atol: 0, "rates")
  }

  @Test func aTowerWithoutMLPsIsRefused() {
    let vision = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let configuration = CLIPConfiguration(vision: vision, text: TextTower.configuration, embedding: 5)
    let tower = CLIP.random(configuration, seed: 1).vision
    let method = ScaleAndShiftMethod()
    let recipe = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    #expect(throws: SettingError.self) { try method.check(tower, recipe, .official) }
    #expect(throws: Never.self) { try method.check(Self.towers[0], recipe, .official) }
  }
}
