import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Linear bottlenecks before maps: from PyTorch's steps to a delta and to weights (RepAdapter (a) to (e)).
@Suite struct InputAdapterTests {
  private static let towers: [any ImageTower] = [
    transformer { _ in }, transformer { $0.isGated = true }, swin(.table),
  ]

  private static func transformer(_ change: (inout BlockForm) -> Void) -> any ImageTower {
    var form = BlockForm.plain
    change(&form)
    return VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 6, hiddenWidth: 7, blocks: 2, heads: 3, activation: .gelu, epsilon: 1e-6, form: form), imageSize: 9,
        patchSize: 3, form: .classifier), seed: 1)
  }

  private static func swin(_ positions: SwinConfiguration.PositionBias) -> any ImageTower {
    let size = SwinConfiguration(
      blocks: [1, 1], heads: [2, 2], width: 4, window: 2, imageSize: 8, patchSize: 2, positions: positions)
    return ImageBackbone.random(.swin(size), classes: nil, seed: 1).tower
  }

  private static func adapters(
    _ tower: any ImageTower, dropout: Double = 0.1, attentionOnly: Bool = false, seed: UInt64 = 1
  ) -> InputAdapters {
    InputAdapters(tower, rank: 4, scale: 0.5, dropout: dropout, attentionOnly: attentionOnly, seed: seed)
  }

  private static func moved(_ tuning: InputAdapters) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return tuning.trainables.map { numbers.next($0.initial.shape, scale: 0.5) }
  }

  private static func delta(_ tuning: InputAdapters, _ values: [Tensor]) -> Delta {
    var delta = Delta(
      .init(
        method: "repadapter", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    tuning.write(values, to: &delta)
    return delta
  }

  private static func images(_ tower: any ImageTower) -> Variable {
    Variable(CheckNumbers(seed: 5).tensor([3, 3, tower.imageSize, tower.imageSize], scale: 1.5))
  }

  /// RepAdapter (a) and (b).
  @Test func threeStepsAreThoseOfPyTorch() throws {
    let golden = try EncoderGolden()
    try golden.compare("repadapter", InputAdapters(golden.model.vision, rank: 4, scale: 0.1, dropout: 0, seed: 1))
  }

  @Test func trainedParametersAreThePublishedCount() {
    let tower = PlainTuningTests.ShapeTower()
    for (attentionOnly, count) in [(false, 239_808), (true, 119_904)] {
      let tuning = InputAdapters(tower, rank: 8, scale: 1, dropout: 0, attentionOnly: attentionOnly, seed: 1)
      #expect(tuning.trainables.reduce(0) { $0 + $1.count } == count)
    }
  }

  /// A in ±√(6 / (4 + width)), all else zero (RepAdapter (c)); all of it is decayed.
  @Test(arguments: towers.indices) func itStartsWithoutEffect(_ index: Int) {
    let tower = Self.towers[index]
    let tuning = Self.adapters(tower)
    let first = tower.inputSites[0]
    for (trainable, part) in zip(tuning.trainables, InputAdapters.parts) {
      #expect(trainable.name == "\(first.site.name).branch.\(part)" && trainable.isDecayed)
      let largest = trainable.initial.values.map { abs($0) }.max() ?? 0
      let bound = (6 / Real(4 + first.width)).squareRoot()
      #expect(part == "down" ? largest <= bound && largest > 0.7 * bound : largest == 0)
    }
    #expect(Self.adapters(tower, seed: 2).trainables[0].initial != tuning.trainables[0].initial)
    func features(_ values: [Tensor]) -> Tensor {
      tower(Self.images(tower), Pass(tunings: tuning.tunings(values.map { Variable($0) }))).value
    }
    let plain = tower(Self.images(tower), Pass()).value
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

  /// Rows 0 to 2 of B read the first two elements, the others the last two (RepAdapter (b)).
  @Test func theUpperMapHasTwoGroups() {
    let up = Tensor([6, 2], (1...12).map { Real($0) })
    let parts: [Tensor] = [.zeros([4, 6]), .zeros([4]), up, .zeros([6])]
    let dense = InputAdapter(parts.map { Variable($0) }, scale: 1, dropout: 0).dense.value
    #expect(
      dense.values == [1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0, 0, 0, 0, 7, 8, 0, 0, 9, 10, 0, 0, 11, 12])
  }

  @Test func attentionAloneIsTunedOnRequest() {
    let names = Self.adapters(Self.towers[0], attentionOnly: true).trainables.map(\.name)
    #expect(names.count == 8 && names.allSatisfy { $0.contains(".attention.input.branch.") })
  }

  /// What is dropped lies between the maps: with B zero nothing is.
  @Test func elementsAreDroppedInTraining() {
    let tower = Self.towers[0]
    let tuning = Self.adapters(tower, dropout: 0.5)
    func features(_ values: [Tensor], step: Int?) -> Tensor {
      let draws = step.map { TrainingDraws(seed: 1, step: $0) }
      return tower(
        Self.images(tower), Pass(tunings: tuning.tunings(values.map { Variable($0) }), draws: draws)
      ).value
    }
    let values = Self.moved(tuning)
    #expect(features(values, step: 0) != features(values, step: nil))
    #expect(features(values, step: 0) != features(values, step: 1))
    let closed = values.enumerated().map { $0 % 4 == 2 ? $1.scaled(by: 0) : $1 }
    #expect(features(closed, step: 0) == features(closed, step: nil))
  }

  @Test func everySiteHasItsOwnDraw() {
    let tower = Self.towers[0]
    var draws: [String: Tensor] = [:]
    let tunings = Self.adapters(tower).tunings(Self.moved(Self.adapters(tower)).map { Variable($0) })
    let pass = Pass(
      tunings: tunings, draws: TrainingDraws(seed: 1, step: 0),
      replacing: {
        draws[$0] = $1
        return $1
      })
    _ = tower(Self.images(tower), pass)
    #expect(draws.keys.sorted() == tower.inputSites.map { "\($0.site.name).dropout" }.sorted())
    #expect(Set(draws.values.map(\.values)).count == 4)
  }

  /// W (I + s B A) x + c + s W (B a + b) is W (x + s (B (A x + a) + b)) + c but for rounding (RepAdapter (d)).
  @Test(arguments: towers.indices) func mergedWeightsAreTheTunedModel(_ index: Int) throws {
    let tower = Self.towers[index]
    let tuning = Self.adapters(tower)
    let values = Self.moved(tuning)
    let merged = try Self.delta(tuning, values).merged(into: tower.parameters)
    let bySite = Dictionary(uniqueKeysWithValues: tower.parameters.map { ($0.site.name, $0.site) })
    let maps = ["attention.query", "attention.key", "attention.value", "mlp.up", "mlp.gate"]
    let expected = bySite.keys.filter { name in maps.contains { name.hasSuffix($0) || name.hasSuffix("\($0).bias") } }
    #expect(Set(merged.map(\.site)) == Set(expected))
    let replaced = Dictionary(
      uniqueKeysWithValues: try merged.map { (try #require(bySite[$0.site]), Tuning.replaced(Variable($0.value))) })
    let images = Self.images(tower)
    let tuned = tower(images, Pass(tunings: tuning.tunings(values.map { Variable($0) }))).value
    let tolerance = GradientCheck.isDouble ? 1e-12 : 5e-5
    expectClose(tower(images, Pass(tunings: replaced)).value, tuned, rtol: tolerance, atol: tolerance)
    #expect(tower(images, Pass()).value != tuned)
  }

  @Test func aMapWithoutBiasIsNotMerged() {
    let tower = Self.transformer { $0.hasKeyBias = false }
    let tuning = Self.adapters(tower)
    let error = #expect(throws: ExportError.self) {
      try Self.delta(tuning, Self.moved(tuning)).merged(into: tower.parameters)
    }
    #expect(
      error?.description == "delta: expected maps with biases, which can hold what an adapter before them adds, "
        + "found none at vision.blocks.0.attention.key")
  }

  @Test func aDeltaHasTheSameBits() throws {
    let model = try TinyCLIP.model()
    let tuning = Self.adapters(model.vision)
    let values = Self.moved(tuning)
    let stored = try StoredDelta(Self.delta(tuning, values), of: tuning, on: model.vision)
    let images = Method.Input.images(TinyCLIP.images(4))
    #expect(stored.read.logits(images, values: []) == stored.made.logits(images, values: values))
  }

  private static let strangers: [(String, @Sendable (inout Delta) -> Void, String)] = [
    (
      "another block",
      { delta in
        let renamed = delta.tensors.map { ($0.replacing("blocks.1", with: "blocks.7"), $1) }
        delta.tensors = Dictionary(uniqueKeysWithValues: renamed)
      },
      "expected adapters before maps of the image encoder, found \"vision.blocks.7.attention.input\""
    ),
    (
      "a missing bias", { $0.tensors["vision.blocks.0.mlp.input.branch.up.bias"] = nil },
      "expected tensor \"vision.blocks.0.mlp.input.branch.up.bias\""
    ),
    (
      "no whole groups", { $0.tensors["vision.blocks.0.mlp.input.branch.up"] = .zeros([8, 3]) },
      "expected an adapter of one rank, whole groups and width 8 at vision.blocks.0.mlp.input, "
        + "found [4, 8], [4], [8, 3], [8]"
    ),
    (
      "no scale", { $0.description.branchScale = nil },
      "expected a scale above 0 for \"vision.blocks.0.attention.input\", found none"
    ),
  ]

  @Test(arguments: strangers.indices) func strangersAreRefused(_ index: Int) throws {
    let (name, change, text) = Self.strangers[index]
    let model = try TinyCLIP.model()
    let tuning = Self.adapters(model.vision)
    var delta = Self.delta(tuning, Self.moved(tuning))
    change(&delta)
    StoredDelta.expectRefusal(delta, for: model.vision, text, name)
  }

  /// ResNets have no such norms, and those of Swin V2 follow the branches.
  @Test func aTowerWithoutNormsBeforeItsMapsIsRefused() {
    let vision = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let configuration = CLIPConfiguration(vision: vision, text: TextTower.configuration, embedding: 5)
    let method = InputAdapterMethod()
    let recipe = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    for tower in [CLIP.random(configuration, seed: 1).vision, Self.swin(.continuous(hidden: 5, windows: [0, 0]))] {
      let error = #expect(throws: SettingError.self) { try method.check(tower, recipe, .official) }
      #expect(error?.description.contains("whose blocks have no norm before attention and MLP") == true)
    }
    for tower in Self.towers {
      #expect(throws: Never.self) { try method.check(tower, recipe, .official) }
    }
  }

  /// The recipe of SPT's tables but for the last batch, which is left out, and biases, which decay (RepAdapter (e)).
  @Test func theRecipeIsTheAuthors() {
    let recipe = InputAdapterMethod().recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    expectSharedRecipe(recipe)
  }

  @Test func anOddRankIsRefused() {
    let method = InputAdapterMethod()
    var recipe = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    #expect(throws: Never.self) { try method.check(recipe) }
    recipe[InputAdapterSettings.self]?.inputAdapter.rank = 7
    let error = #expect(throws: SettingError.self) { try method.check(recipe) }
    #expect(error?.description == "rank: expected an even number, as the upper map has two groups, found 7")
    #expect(recipe[InputAdapterSettings.self]?.problem?.contains("found 7") == true)
  }
}
