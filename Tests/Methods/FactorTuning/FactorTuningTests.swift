import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Updates of all maps with shared factors: from PyTorch's steps to a delta and to weights (FacT (a) to (g)).
@Suite struct FactorTuningTests {
  private static let forms: [FactorTuning.Form] = [.tensorTrain, .tucker(.interleaved), .tucker(.sliceMajor)]

  private static func tower(hidden: Int = 12) -> VisionTransformer {
    .random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 6, hiddenWidth: hidden, blocks: 2, heads: 3, activation: .gelu, epsilon: 1e-6), imageSize: 9,
        patchSize: 3, form: .classifier), seed: 1)
  }

  private static func factors(
    _ tower: any ImageTower, _ form: FactorTuning.Form, rank: Int = 4, dropout: Double = 0.1, seed: UInt64 = 1
  ) -> FactorTuning {
    FactorTuning(tower, form, rank: rank, scale: 0.5, dropout: dropout, seed: seed)
  }

  private static func moved(_ tuning: FactorTuning) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return tuning.trainables.map { numbers.next($0.initial.shape) }
  }

  private static func delta(_ tuning: FactorTuning, _ values: [Tensor]) -> Delta {
    var delta = Delta(
      .init(
        method: "fact", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    tuning.write(values, to: &delta)
    return delta
  }

  private static var images: Variable { Variable(CheckNumbers(seed: 5).tensor([3, 3, 9, 9], scale: 1.5)) }

  private static func features(_ tuning: FactorTuning, _ values: [Tensor], step: Int? = nil) -> Tensor {
    let draws = step.map { TrainingDraws(seed: 1, step: $0) }
    return tower()(images, Pass(tunings: tuning.tunings(values.map { Variable($0) }), draws: draws)).value
  }

  /// FacT (a) to (d).
  @Test(arguments: zip(["fact-tt", "fact-tk", "fact-tk-slices"], forms))
  func threeStepsAreThoseOfPyTorch(_ name: String, _ form: FactorTuning.Form) throws {
    let golden = try EncoderGolden("factors", hiddenWidth: 16)
    try golden.compare(name, FactorTuning(golden.model.vision, form, rank: 3, scale: 0.2, dropout: 0, seed: 1))
  }

  /// The authors' code at the size it is written for, MLPs of four times the width.
  @Test(arguments: zip(["fact-tt", "fact-tk"], forms))
  func threeStepsAreThoseOfTheAuthors(_ name: String, _ form: FactorTuning.Form) throws {
    let golden = try EncoderGolden("fact", hiddenWidth: 32)
    try golden.compare(name, FactorTuning(golden.model.vision, form, rank: 3, scale: 0.2, dropout: 0, seed: 1))
  }

  @Test func trainedParametersAreThePublishedCount() {
    let counts: [(FactorTuning.Form, rank: Int, count: Int)] = [
      (.tensorTrain, 4, 8_448), (.tensorTrain, 8, 21_504), (.tensorTrain, 16, 61_440),
      (.tucker(.interleaved), 8, 13_952), (.tucker(.interleaved), 16, 30_976), (.tucker(.sliceMajor), 32, 86_528),
    ]
    for (form, rank, count) in counts {
      let tuning = Self.factors(PlainTuningTests.ShapeTower(), form, rank: rank)
      #expect(tuning.trainables.reduce(0) { $0 + $1.count } == count, "\(form), rank \(rank)")
    }
  }

  /// FacT (e).
  @Test(arguments: forms) func itStartsWithoutEffect(_ form: FactorTuning.Form) {
    let tuning = Self.factors(Self.tower(), form)
    #expect(Set(tuning.trainables.map(\.name)).count == tuning.trainables.count)
    for trainable in tuning.trainables {
      let largest = trainable.initial.values.map { abs($0) }.max() ?? 0
      let bound: Real =
        switch trainable.name {
        case "factors.down": 1 / Real(6).squareRoot()
        case "factors.up": 0
        case "factors.core": Real(3).squareRoot() / 4
        case "factors.slices": Real(6.0 / 20).squareRoot()
        default: 1 / Real(trainable.name.contains("mlp.down") ? 8 : 4).squareRoot()
        }
      #expect(largest <= bound && largest >= 0.7 * bound && trainable.isDecayed, "\(trainable.name)")
    }
    #expect(Self.factors(Self.tower(), form, seed: 2).trainables[0].initial != tuning.trainables[0].initial)
    let plain = Self.tower()(Self.images, Pass()).value
    #expect(Self.features(tuning, tuning.trainables.map(\.initial)) == plain)
    let values = Self.moved(tuning)
    let found = Self.features(tuning, values)
    #expect(zip(found.values, plain.values).contains { abs($0 - $1) > 1e-2 })
    for position in values.indices {
      var others = values
      others[position] = others[position].scaled(by: 0.5)
      #expect(Self.features(tuning, others) != found, "\(tuning.trainables[position].name)")
    }
  }

  /// Two slices of rank 2: [[1, 2], [3, 4]] and [[5, 6], [7, 8]]; rows are what V reads (FacT (d)).
  @Test func slicesFormACoreInEitherOrder() {
    let slices = Variable(Tensor([2, 2, 2], (1...8).map { Real($0) }))
    func core(_ outputs: Int, _ inputs: Int, _ order: SliceOrder) -> Tensor {
      FactorSite(site: Site("a", .mlpUp), outputs: outputs, inputs: inputs, firstSlice: 0).core(of: slices, order).value
    }
    #expect(core(2, 1, .sliceMajor) == Tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(core(2, 1, .interleaved) == Tensor([4, 2], [1, 2, 5, 6, 3, 4, 7, 8]))
    #expect(core(1, 2, .sliceMajor) == Tensor([2, 4], [1, 3, 5, 7, 2, 4, 6, 8]))
    #expect(core(1, 2, .interleaved) == Tensor([2, 4], [1, 5, 3, 7, 2, 6, 4, 8]))
  }

  /// What is dropped lies before V: with V zero nothing is (FacT (a)).
  @Test func elementsAreDroppedInTraining() {
    let tuning = Self.factors(Self.tower(), .tensorTrain, dropout: 0.5)
    let values = Self.moved(tuning)
    #expect(Self.features(tuning, values, step: 0) != Self.features(tuning, values))
    #expect(Self.features(tuning, values, step: 0) != Self.features(tuning, values, step: 1))
    let closed = values.enumerated().map { $0 == 1 ? $1.scaled(by: 0) : $1 }
    #expect(Self.features(tuning, closed, step: 0) == Self.features(tuning, closed))
  }

  @Test func everyMapHasItsOwnDraw() {
    let tuning = Self.factors(Self.tower(), .tucker(.interleaved))
    var draws: [String: Tensor] = [:]
    let tunings = tuning.tunings(Self.moved(tuning).map { Variable($0) })
    let pass = Pass(
      tunings: tunings, draws: TrainingDraws(seed: 1, step: 0),
      replacing: { name, uniform in
        draws[name] = uniform
        return uniform
      })
    _ = Self.tower()(Self.images, pass)
    #expect(Set(draws.keys) == Set(tunings.keys.map { "\($0.name).dropout" }) && draws.count == 12)
    #expect(Set(draws.values.map(\.values)).count == 12)
  }

  /// (W + s V Σ U) x is W x + s V Σ U x but for rounding (FacT (f)).
  @Test(arguments: forms) func mergedWeightsAreTheTunedModel(_ form: FactorTuning.Form) throws {
    let tower = Self.tower()
    let tuning = Self.factors(tower, form)
    let values = Self.moved(tuning)
    let merged = try Self.delta(tuning, values).merged(into: tower.parameters)
    #expect(merged.count == 12)
    let bySite = Dictionary(uniqueKeysWithValues: tower.parameters.map { ($0.site.name, $0.site) })
    let replaced = Dictionary(
      uniqueKeysWithValues: try merged.map { (try #require(bySite[$0.site]), Tuning.replaced(Variable($0.value))) })
    let tuned = Self.features(tuning, values)
    let tolerance = GradientCheck.isDouble ? 1e-12 : 5e-5
    expectClose(tower(Self.images, Pass(tunings: replaced)).value, tuned, rtol: tolerance, atol: tolerance)
    #expect(tower(Self.images, Pass()).value != tuned)
  }

  @Test(arguments: forms) func aDeltaHasTheSameBits(_ form: FactorTuning.Form) throws {
    let tower = Self.tower()
    let tuning = Self.factors(tower, form)
    let values = Self.moved(tuning)
    let stored = try StoredDelta(Self.delta(tuning, values), of: tuning, on: tower, embedding: 6)
    let images = Method.Input.images(Self.images.value)
    #expect(stored.read.logits(images, values: []) == stored.made.logits(images, values: values))
  }

  private static let strangers: [(String, FactorTuning.Form, @Sendable (inout Delta) -> Void, String)] = [
    (
      "a missing core", .tensorTrain, { $0.tensors["vision.blocks.1.mlp.up.branch.core"] = nil },
      "expected factors of one rank: tensor \"vision.blocks.1.mlp.up.branch.core\" of shape [8, 4], found none"
    ),
    (
      "two ranks", .tucker(.sliceMajor), { $0.tensors["factors.slices"] = .zeros([16, 5]) },
      "expected factors of one rank: tensor \"factors.slices\" of shape [16, 4], found [16, 5]"
    ),
    (
      "a core elsewhere", .tensorTrain, { $0.tensors["vision.patchEmbedding.branch.core"] = .zeros([4, 4]) },
      "expected factors for maps of the image encoder, found \"vision.patchEmbedding.branch.core\""
    ),
    ("no factor", .tensorTrain, { $0.tensors["factors.up"] = nil }, "expected tensor \"factors.up\""),
    (
      "no order", .tucker(.interleaved), { $0.description.sliceOrder = nil },
      "found \"factors.core\" of shape [4, 4, 4]"
    ),
    (
      "no scale", .tensorTrain, { $0.description.branchScale = nil },
      "expected a scale above 0 for \"factors\", found none"
    ),
  ]

  @Test(arguments: strangers.indices) func strangersAreRefused(_ index: Int) throws {
    let (name, form, change, text) = Self.strangers[index]
    let tuning = Self.factors(Self.tower(), form)
    var delta = Self.delta(tuning, Self.moved(tuning))
    change(&delta)
    StoredDelta.expectRefusal(delta, for: Self.tower(), text, name)
  }

  /// MLPs whose width is no multiple of that of tokens; stages of several widths.
  @Test func aTowerOfOtherWidthsIsRefused() {
    let swin = ImageBackbone.random(
      .swin(SwinConfiguration(blocks: [1, 1], heads: [2, 2], width: 4, window: 2, imageSize: 8, patchSize: 2)),
      classes: nil, seed: 1
    ).tower
    for method in FactorMethod.all {
      let recipe = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
      for tower in [Self.tower(hidden: 7), swin] as [any ImageTower] {
        let error = #expect(throws: SettingError.self) { try method.check(tower, recipe, .official) }
        #expect(error?.description.contains("whose blocks have no maps between multiples of one width") == true)
      }
      #expect(throws: Never.self) { try method.check(Self.tower(), recipe, .official) }
    }
  }

  /// The recipe of SPT's tables but for the last batch, which is left out, and what decays (FacT (g)).
  @Test(arguments: FactorMethod.all.map(\.name)) func theRecipeIsTheAuthors(_ name: String) throws {
    let method = try #require(FactorMethod.all.first { $0.name == name })
    let recipe = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    expectSharedRecipe(recipe)
    #expect(recipe[FactorSettings.self]?.factors.rank == 16 && recipe[FactorSettings.self]?.factors.scale == 1)
  }

  /// FacT (d).
  @Test func codeAndPaperOrderSlicesDifferently() {
    func order(_ method: FactorMethod, _ fidelity: Fidelity) -> SliceOrder? {
      method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: fidelity))[FactorSettings.self]?.factors
        .sliceOrder
    }
    #expect(FactorMethod.all.map { order($0, .official) } == [nil, .interleaved])
    #expect(FactorMethod.all.map { order($0, .paper) } == [nil, .sliceMajor])
  }
}
