import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Convolutions parallel to attention and MLPs: from PyTorch's steps to a delta (Convpass (a) to (e)).
@Suite struct ConvolutionalBypassTests {
  /// A class token before the patches, a class token and two registers, and none.
  private static let towers: [any ImageTower] = [
    tower(.classifier),
    tower(
      VisionConfiguration.Form(
        hasPatchBias: true, hasPreNorm: false, hasClassToken: true, registers: 2, pooling: .classToken)),
    tower(
      VisionConfiguration.Form(
        hasPatchBias: true, hasPreNorm: false, hasClassToken: false, pooling: .meanOfNormalized)),
  ]

  private static func tower(_ form: VisionConfiguration.Form) -> any ImageTower {
    VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 6, hiddenWidth: 7, blocks: 2, heads: 3, activation: .gelu, epsilon: 1e-6), imageSize: 9,
        patchSize: 3, form: form), seed: 1)
  }

  private static func bypasses(
    _ tower: any ImageTower, dropout: Double = 0.1, start: ConvolutionalBypasses.KernelStart = .identity,
    attentionOnly: Bool = false, seed: UInt64 = 1
  ) -> ConvolutionalBypasses {
    ConvolutionalBypasses(
      tower, rank: 4, scale: 0.5, dropout: dropout, start: start, attentionOnly: attentionOnly, seed: seed)
  }

  private static func moved(_ tuning: ConvolutionalBypasses) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return tuning.trainables.map { numbers.next($0.initial.shape) }
  }

  private static func delta(_ tuning: ConvolutionalBypasses, _ values: [Tensor]) -> Delta {
    var delta = Delta(
      .init(
        method: "convpass", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    tuning.write(values, to: &delta)
    return delta
  }

  private static var images: Variable { Variable(CheckNumbers(seed: 5).tensor([3, 3, 9, 9], scale: 1.5)) }

  private static func features(
    _ tower: any ImageTower, _ tuning: ConvolutionalBypasses, _ values: [Tensor], _ draws: TrainingDraws? = nil
  ) -> Tensor {
    tower(images, Pass(tunings: tuning.tunings(values.map { Variable($0) }), draws: draws)).value
  }

  /// Convpass (a) to (c).
  @Test func threeStepsAreThoseOfPyTorch() throws {
    let golden = try EncoderGolden()
    try golden.compare(
      "convpass", ConvolutionalBypasses(golden.model.vision, rank: 3, scale: 0.5, dropout: 0, seed: 1))
  }

  /// The authors' code at the size it is written for, 14 × 14 patches.
  @Test func threeStepsAreThoseOfTheAuthors() throws {
    let golden = try EncoderGolden("convpass", imageSize: 14, patchSize: 1)
    try golden.compare(
      "convpass", ConvolutionalBypasses(golden.model.vision, rank: 3, scale: 0.5, dropout: 0, seed: 1))
  }

  @Test func trainedParametersAreThePublishedCount() {
    let tower = PlainTuningTests.ShapeTower()
    for (attentionOnly, count) in [(false, 327_552), (true, 163_776)] {
      let tuning = ConvolutionalBypasses(
        tower, rank: 8, scale: 1, dropout: 0, attentionOnly: attentionOnly, seed: 1)
      #expect(tuning.trainables.reduce(0) { $0 + $1.count } == count)
    }
  }

  /// D in ±√(6 / (4 + 6)); C passes channels on, or lies in ±1 / √12; all else zero (Convpass (d)).
  @Test(arguments: towers.indices) func itStartsWithoutEffect(_ index: Int) {
    let tower = Self.towers[index]
    for start in ConvolutionalBypasses.KernelStart.allCases {
      let tuning = Self.bypasses(tower, start: start)
      for (trainable, part) in zip(tuning.trainables, ConvolutionalBypasses.parts) {
        #expect(trainable.name == "vision.blocks.0.attention.bypass.branch.\(part)" && trainable.isDecayed)
        let largest = trainable.initial.values.map { abs($0) }.max() ?? 0
        let glorot = 1 / Real(12).squareRoot()
        switch part {
        case "down": #expect(largest <= Real(0.6).squareRoot() && largest > 0.7 * Real(0.6).squareRoot())
        case "kernel" where start == .glorot: #expect(largest <= glorot && largest > 0.7 * glorot)
        case "kernel":
          for (element, value) in trainable.initial.values.enumerated() {
            #expect(value == (element % 9 == 4 && element / 36 == element / 9 % 4 ? 1 : 0))
          }
        default: #expect(largest == 0)
        }
      }
      #expect(
        Self.features(tower, tuning, tuning.trainables.map(\.initial)) == tower(Self.images, Pass()).value)
    }
    let tuning = Self.bypasses(tower)
    #expect(Self.bypasses(tower, seed: 2).trainables[0].initial != tuning.trainables[0].initial)
    let values = Self.moved(tuning)
    let found = Self.features(tower, tuning, values)
    for position in values.indices {
      var others = values
      others[position] = others[position].scaled(by: 0.5)
      #expect(Self.features(tower, tuning, others) != found, "\(tuning.trainables[position].name)")
    }
  }

  /// C ∗ x + c by its definition: neighbours of a patch on the square, and the centre alone for other tokens
  /// (Convpass (c)).
  @Test(arguments: [0, 1, 3]) func theKernelReadsNeighboursOfPatchesAlone(_ prefix: Int) {
    let (batch, side, rank) = (2, 3, 2)
    var numbers = CheckNumbers(seed: 9)
    let x = numbers.next([batch, prefix + side * side, rank])
    let (kernel, bias) = (numbers.next([rank, rank, 3, 3]), numbers.next([rank]))
    let none = Variable(.zeros([1]))
    let bypass = ConvolutionalBypass(
      [none, none, Variable(kernel), Variable(bias), none, none], scale: 1, dropout: 0,
      grid: TokenGrid(prefix: prefix, side: side))
    var expected: [Real] = []
    for sample in 0..<batch {
      func at(_ token: Int, _ channel: Int) -> Real { x.values[(sample * x.shape[1] + token) * rank + channel] }
      for token in 0..<x.shape[1] {
        let (row, column) = token < prefix ? (0, 0) : ((token - prefix) / side, (token - prefix) % side)
        for out in 0..<rank {
          var sum = bias.values[out]
          for tap in 0..<9 {
            let (u, v) = (row + tap / 3 - 1, column + tap % 3 - 1)
            guard token < prefix ? tap == 4 : (0..<side ~= u && 0..<side ~= v) else { continue }
            let source = token < prefix ? token : prefix + u * side + v
            for channel in 0..<rank { sum += kernel.values[(out * rank + channel) * 9 + tap] * at(source, channel) }
          }
          expected.append(sum)
        }
      }
    }
    let found = bypass.convolved(Variable(x)).value
    expectClose(found, Tensor(x.shape, expected), rtol: 0, atol: GradientCheck.isDouble ? 1e-14 : 1e-5)
  }

  @Test func attentionAloneIsTunedOnRequest() {
    let names = Self.bypasses(Self.towers[0], attentionOnly: true).trainables.map(\.name)
    #expect(names.count == 12 && names.allSatisfy { $0.contains(".attention.bypass.branch.") })
  }

  /// With U zero nothing is dropped, and b is always added (Convpass (b)).
  @Test func elementsAreDroppedInTraining() {
    let tower = Self.towers[0]
    let tuning = Self.bypasses(tower, dropout: 0.5)
    let values = Self.moved(tuning)
    func features(_ values: [Tensor], _ step: Int?) -> Tensor {
      Self.features(tower, tuning, values, step.map { TrainingDraws(seed: 1, step: $0) })
    }
    #expect(features(values, 0) != features(values, nil) && features(values, 0) != features(values, 1))
    let closed = values.enumerated().map { $0 % 6 == 4 ? $1.scaled(by: 0) : $1 }
    #expect(features(closed, 0) == features(closed, nil))
  }

  /// Blocks after the first skip the bypass by a draw of its own, as often as what it is parallel to (Convpass (a)).
  @Test func samplesSkipABypassByItsOwnDraw() {
    let tower = Self.towers[0]
    let tuning = Self.bypasses(tower, dropout: 0)
    var draws: [String: Tensor] = [:]
    let pass = Pass(
      tunings: tuning.tunings(Self.moved(tuning).map { Variable($0) }),
      draws: TrainingDraws(seed: 1, step: 0, stochasticDepth: 0.5),
      replacing: { name, uniform in
        draws[name] = uniform
        return uniform
      })
    _ = tower(Self.images, pass)
    let block = "vision.blocks.1"
    let parts = ["attention", "mlp"].flatMap { ["\(block).\($0).dropPath", "\(block).\($0).bypass.dropPath"] }
    #expect(Set(draws.keys) == Set(parts) && Set(draws.values.map(\.values)).count == 4)
  }

  @Test func aDeltaHasTheSameBits() throws {
    let model = try TinyCLIP.model()
    let tuning = Self.bypasses(model.vision)
    let values = Self.moved(tuning)
    let stored = try StoredDelta(Self.delta(tuning, values), of: tuning, on: model.vision)
    let images = Method.Input.images(TinyCLIP.images(4))
    #expect(stored.read.logits(images, values: []) == stored.made.logits(images, values: values))
  }

  @Test func bypassesAreNotMerged() {
    let tuning = Self.bypasses(Self.towers[0])
    let error = #expect(throws: ExportError.self) {
      try Self.delta(tuning, Self.moved(tuning)).merged(into: Self.towers[0].parameters)
    }
    #expect(error?.description.contains("found a convolution between two at vision.blocks.0.attention.bypass") == true)
  }

  private static let strangers: [(String, @Sendable (inout Delta) -> Void, String)] = [
    (
      "another block",
      { delta in
        let renamed = delta.tensors.map { ($0.replacing("blocks.1", with: "blocks.7"), $1) }
        delta.tensors = Dictionary(uniqueKeysWithValues: renamed)
      },
      "expected bypasses of attention or MLPs of the image encoder, found \"vision.blocks.7.attention.bypass\""
    ),
    (
      "a missing bias", { $0.tensors["vision.blocks.0.mlp.bypass.branch.kernel.bias"] = nil },
      "expected tensor \"vision.blocks.0.mlp.bypass.branch.kernel.bias\""
    ),
    (
      "two ranks", { $0.tensors["vision.blocks.0.mlp.bypass.branch.up"] = .zeros([8, 3]) },
      "expected a bypass of one rank and of width 8 at vision.blocks.0.mlp.bypass, "
        + "found [4, 8], [4], [4, 4, 3, 3], [4], [8, 3], [8]"
    ),
    (
      "no scale", { $0.description.branchScale = nil },
      "expected a scale above 0 for \"vision.blocks.0.attention.bypass\", found none"
    ),
  ]

  @Test(arguments: strangers.indices) func strangersAreRefused(_ index: Int) throws {
    let (name, change, text) = Self.strangers[index]
    let model = try TinyCLIP.model()
    let tuning = Self.bypasses(model.vision)
    var delta = Self.delta(tuning, Self.moved(tuning))
    change(&delta)
    StoredDelta.expectRefusal(delta, for: model.vision, text, name)
  }

  /// The recipe of SPT's tables but for the last batch, which is left out, and what decays (Convpass (e)).
  @Test func theRecipeIsTheAuthors() {
    let recipe = ConvolutionalBypassMethod().recipe(
      PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    expectSharedRecipe(recipe)
    let bypass = recipe[ConvolutionalBypassSettings.self]?.bypass
    #expect(bypass?.rank == 8 && bypass?.scale == 1 && bypass?.start == .identity)
  }

  @Test func aTowerWithoutASquareOfPatchesIsRefused() {
    let swin = ImageBackbone.random(
      .swin(SwinConfiguration(blocks: [1, 1], heads: [2, 2], width: 4, window: 2, imageSize: 8, patchSize: 2)),
      classes: nil, seed: 1
    ).tower
    let method = ConvolutionalBypassMethod()
    let recipe = method.recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    let error = #expect(throws: SettingError.self) { try method.check(swin, recipe, .official) }
    #expect(error?.description.contains("whose blocks have no single square of patches, found convpass") == true)
    for tower in Self.towers { #expect(throws: Never.self) { try method.check(tower, recipe, .official) } }
  }
}
