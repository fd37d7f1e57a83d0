import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Prompts between the tokens: from PyTorch's steps to a delta (VPT (a) to (f)).
@Suite struct VisualPromptTests {
  /// A tower of each pooling, the last two with registers and without a class token.
  private static let towers: [VisionTransformer] = [
    VisionConfiguration.Form.classifier, .clip,
    .init(hasPatchBias: true, hasPreNorm: false, hasClassToken: true, registers: 2, pooling: .meanOfNormalized),
    .init(hasPatchBias: true, hasPreNorm: false, hasClassToken: false, pooling: .attention),
  ].map { tower(form: $0) }

  private static func tower(form: VisionConfiguration.Form, block: BlockForm = .plain) -> VisionTransformer {
    .random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 6, hiddenWidth: 7, blocks: 2, heads: 3, activation: .gelu, epsilon: 1e-6, form: block), imageSize: 9,
        patchSize: 3, form: form), seed: 1)
  }

  private static func prompts(_ tower: any ImageTower, isDeep: Bool = true, seed: UInt64 = 1) -> VisualPrompts {
    VisualPrompts(tower, count: 4, isDeep: isDeep, dropout: 0.1, seed: seed)
  }

  private static func delta(_ tuning: VisualPrompts, _ values: [Tensor]) -> Delta {
    var delta = Delta(
      .init(
        method: "vpt-deep", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    tuning.write(values, to: &delta)
    return delta
  }

  /// VPT (a) and (b).
  @Test(arguments: [false, true]) func threeStepsAreThoseOfPyTorch(isDeep: Bool) throws {
    let golden = try EncoderGolden()
    let tuning = VisualPrompts(golden.model.vision, count: 3, isDeep: isDeep, dropout: 0, seed: 1)
    try golden.compare(isDeep ? "vpt-deep" : "vpt-shallow", tuning)
  }

  /// √(6 / (3 · 3² + 6)) for patches of 3 and a width of 6 (VPT (d)).
  @Test func initialValuesHaveXaviersBounds() {
    let tuning = VisualPrompts(Self.towers[0], count: 500, isDeep: true, dropout: 0, seed: 1)
    let bound = Real(6.0 / 33).squareRoot()
    for trainable in tuning.trainables {
      let largest = trainable.initial.values.map { abs($0) }.max() ?? 0
      #expect(largest <= bound && largest > 0.99 * bound && trainable.isDecayed, "\(trainable.name)")
    }
    #expect(tuning.trainables[0].initial != tuning.trainables[1].initial)
    #expect(
      Self.prompts(Self.towers[0], seed: 2).trainables[0].initial
        != Self.prompts(Self.towers[0]).trainables[0].initial)
  }

  /// p · 768 and 12 · p · 768.
  @Test(arguments: [(false, 100, 76_800), (true, 100, 921_600), (true, 5, 46_080)])
  func trainedParametersAreThePublishedCount(_ isDeep: Bool, _ count: Int, _ wanted: Int) {
    let tower = PlainTuningTests.ShapeTower()
    let tuning = VisualPrompts(tower, count: count, isDeep: isDeep, dropout: 0, seed: 1)
    #expect(tuning.trainables.reduce(0) { $0 + $1.count } == wanted)
  }

  /// Prompts have no position, so their order changes no more than the rounding of sums over a dozen tokens (VPT (c)).
  @Test(arguments: towers.indices, [false, true])
  func featuresDependOnPromptsButNotOnTheirOrder(_ index: Int, _ isDeep: Bool) {
    let tower = Self.towers[index]
    let tuning = Self.prompts(tower, isDeep: isDeep)
    #expect(tuning.trainables.map(\.name) == Array(tower.promptSites.map(\.name).prefix(isDeep ? 2 : 1)))
    let images = Variable(CheckNumbers(seed: 5).tensor([3, 3, 9, 9], scale: 1.5))
    func features(_ values: [Tensor]) -> Tensor {
      tower(images, Pass(tunings: tuning.tunings(values.map { Variable($0) }))).value
    }
    var numbers = CheckNumbers(seed: 3)
    let values = tuning.trainables.map { numbers.next($0.initial.shape) }
    let turned = values.map { value in
      Tensor(value.shape, stride(from: 18, through: 0, by: -6).flatMap { value.values[$0..<$0 + 6] })
    }
    let plain = tower(images, Pass()).value
    let found = features(values)
    #expect(found.shape == plain.shape && zip(found.values, plain.values).contains { abs($0 - $1) > 1e-2 })
    let tolerance = GradientCheck.isDouble ? 1e-12 : 5e-5
    expectClose(features(turned), found, rtol: tolerance, atol: tolerance)
    for position in values.indices {
      var others = values
      others[position] = others[position].scaled(by: 0.5)
      #expect(features(others) != found, "prompts \(position)")
    }
  }

  /// Elements of a prompt are dropped for every image by itself, in training alone; the others are larger by
  /// 1 / (1 − ρ) (VPT (e)).
  @Test(arguments: [false, true]) func elementsAreDroppedInTraining(isDeep: Bool) {
    let tower = Self.towers[0]
    let (half, none) = (
      VisualPrompts(tower, count: 4, isDeep: isDeep, dropout: 0.5, seed: 1),
      VisualPrompts(tower, count: 4, isDeep: isDeep, dropout: 0, seed: 1)
    )
    let values = half.trainables.map(\.initial)
    let images = Variable(CheckNumbers(seed: 5).tensor([3, 3, 9, 9], scale: 1.5))
    var shapes: [String: Shape] = [:]
    func features(_ tuning: VisualPrompts, _ values: [Tensor], step: Int?) -> Tensor {
      let draws = step.map { TrainingDraws(seed: 1, step: $0) }
      let pass = Pass(
        tunings: tuning.tunings(values.map { Variable($0) }), draws: draws,
        replacing: { name, uniform in
          shapes[name] = uniform.shape
          return uniform
        })
      return tower(images, pass).value
    }
    #expect(features(half, values, step: nil) == features(none, values, step: 0) && shapes.isEmpty)
    #expect(features(half, values, step: 0) != features(half, values, step: nil))
    #expect(features(half, values, step: 0) != features(half, values, step: 1))
    #expect(shapes.keys.sorted() == half.trainables.map { "\($0.name).dropout" }.sorted())
    #expect(shapes.values.allSatisfy { $0 == [3, 4, 6] })
    // With every number at 0.9 nothing is dropped, and all elements are twice as large.
    let twice = Pass(
      tunings: half.tunings(values.map { Variable($0) }), draws: TrainingDraws(seed: 1, step: 0),
      replacing: { Tensor($1.shape, repeating: 0.9) })
    #expect(tower(images, twice).value == features(none, values.map { $0.scaled(by: 2) }, step: nil))
  }

  @Test func aDeltaHasTheSameBits() throws {
    let model = try TinyCLIP.model()
    let tuning = Self.prompts(model.vision)
    let values = tuning.trainables.map(\.initial)
    let stored = try StoredDelta(Self.delta(tuning, values), of: tuning, on: model.vision)
    let images = Method.Input.images(TinyCLIP.images(4))
    #expect(stored.read.logits(images, values: []) == stored.made.logits(images, values: values))
    let none = values.map { $0.scaled(by: 0) }
    #expect(stored.read.logits(images, values: []) != stored.made.logits(images, values: none))
  }

  @Test func promptsAreNotMerged() {
    let tower = Self.towers[0]
    let tuning = Self.prompts(tower)
    let error = #expect(throws: ExportError.self) {
      try Self.delta(tuning, tuning.trainables.map(\.initial)).merged(into: tower.parameters)
    }
    #expect(error?.description.contains("no weight can hold a token of its own, found prompts") == true)
  }

  @Test(arguments: [
    ("vision.blocks.2.prompts", [4, 8], "expected prompts of width 8 of blocks"),
    ("vision.blocks.0.prompts", [4, 7], "found \"vision.blocks.0.prompts\" of width 7"),
    ("vision.blocks.0.prompts", [0, 8], "found \"vision.blocks.0.prompts\" of shape [0, 8]"),
    ("vision.blocks.0.prompts", [8], "found \"vision.blocks.0.prompts\" of shape [8]"),
  ]) func strangersAreRefused(_ name: String, _ extents: [Int], _ text: String) throws {
    let model = try TinyCLIP.model()
    var delta = Self.delta(Self.prompts(model.vision), [])
    delta.tensors = [name: .zeros(Shape(extents))]
    StoredDelta.expectRefusal(delta, for: model.vision, text)
  }

  /// Convolutions have no sequence, and relative positions belong to a number of tokens.
  @Test(arguments: VisualPromptMethod.all.map(\.name)) func otherTowersAreRefused(_ name: String) throws {
    let method = try #require(VisualPromptMethod.all.first { $0.name == name })
    let recipe = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    let vision = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let configuration = CLIPConfiguration(vision: vision, text: TextTower.configuration, embedding: 5)
    var relative = BlockForm.plain
    relative.relativeGrid = 3
    let refused: [any ImageTower] = [
      CLIP.random(configuration, seed: 1).vision, Self.tower(form: .classifier, block: relative),
    ]
    for tower in refused {
      let error = #expect(throws: SettingError.self) { try method.check(tower, recipe, .official) }
      #expect(error?.description.contains("blocks take a fixed number of tokens") == true)
    }
    for tower in Self.towers {
      #expect(throws: Never.self) { try method.check(tower, recipe, .official) }
    }
  }

  /// η e / 10, then half a cosine over the 90 epochs that are left (VPT (f)); dropout of deep prompts (VPT (e)).
  @Test func theScheduleEndsWithTheRun() throws {
    let recipe = VisualPromptMethod.all[1].recipe(
      PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    let schedule = recipe.encoder.schedule(epochs: recipe.epochs)
    #expect([0, 5, 10].map(schedule.rate) == [0, 0.125, 0.25])
    #expect(abs(schedule.rate(at: 55) - 0.125) < 1e-15 && schedule.rate(at: 99) < 1e-4)
    #expect(recipe[VisualPromptSettings.self] == VisualPromptSettings(prompts: 100, promptDropout: 0.1))
    var other = recipe
    other.encoder.recounts = false
    #expect(other.problem == "recipe.encoder.spansRest: expected recounts with it, found none")
  }
}
