import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Masks on the weights of the text tower: from PyTorch's steps (`Tests/Fixtures/text-masks`) to a delta.
@Suite struct TextMaskTests {
  private let golden: TowerGolden
  private let towers: TowerPair
  private let head: EncodedTexts

  init() throws {
    golden = try TowerGolden()
    towers = TowerPair(image: golden.model.vision, text: golden.model.text)
    head = EncodedTexts(texts: golden.texts(), logitScale: golden.model.logitScale)
  }

  private func tuning(
    _ part: TunedTowers, _ sites: MaskSites = .all, lambda: Real = 0.3, normWeight: Real = 0.05
  ) -> MaskTuning {
    let parameters = part.parameters(of: towers)
    return MaskTuning(
      groups: sites.groups(among: parameters, .official), dropout: lambda == 0 ? nil : GradientDropout(lambda: lambda),
      normWeight: normWeight, logsDivergence: true)
  }

  private func method(_ tuning: MaskTuning) -> Method { Method(encoder: tuning, head: head, tower: towers.image) }

  private func images() throws -> Method.Input { .images(try golden.tensor("images")) }

  private func moved(_ method: Method) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return method.trainables.map { numbers.next($0.initial.shape, in: 0.001...0.021) }
  }

  /// Losses, masks and logits of three steps, with PyTorch's draws in gradient dropout.
  @Test(arguments: [TunedTowers.both, .text]) func threeStepsAreThoseOfPyTorch(_ part: TunedTowers) throws {
    let file = try SafeTensorsFile(
      contentsOf: Fixtures.embedded.appendingPathComponent("text-masks/text-masks.safetensors"))
    let method = method(tuning(part))
    #expect(
      Set(method.trainables.map { "\(part).start.\($0.name)" })
        == Set(file.names.filter { $0.hasPrefix("\(part).start.") }))
    let tolerance: Double = GradientCheck.isDouble ? 1e-6 : 3e-4
    var values = try method.trainables.map { try file.tensor("\(part).start.\($0.name)") }
    var optimizer = SGD(method.slots, momentum: 0.9, weightDecay: 0)
    var losses: [Double] = []
    for step in 0..<3 {
      var missing: [String] = []
      let observer = StepObserver(
        show: { _, _ in },
        draw: { name, own in
          guard name.hasPrefix("draw/"), let drawn = try? file.tensor("\(part).draw.\(step).\(name.dropFirst(5))")
          else {
            missing.append(name)
            return own
          }
          return drawn
        })
      let found = method.step(try images(), labels: [0, 3, 1, 4], values: values, seed: 1, step: step, observer)
      #expect(missing.isEmpty)
      losses += ["loss", "kl"].compactMap { term in found.terms.first { $0.name == term }?.value }
      optimizer.step(parameters: &values, gradients: found.gradients, learningRate: 2e-3)
    }
    let wanted = try file.tensor("\(part).losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: tolerance, atol: tolerance, "losses")
    for (trainable, value) in zip(method.trainables, values) {
      let end = try file.tensor("\(part).end.\(trainable.name)")
      expectClose(value, end, rtol: 0, atol: tolerance * 2e-3, trainable.name)
    }
    let logits = try method.logits(images(), values: values)
    expectClose(logits, try file.tensor("\(part).logits"), rtol: tolerance, atol: 10 * tolerance, "logits")
  }

  /// ViT-B/16 has twelve blocks in each tower, of widths 768 and 512.
  @Test func masksAreAsManyAsTheWeights() {
    func size(_ width: Int, _ heads: Int) -> TransformerConfiguration {
      TransformerConfiguration(
        width: width, hiddenWidth: 4 * width, blocks: 1, heads: heads, activation: .quickGELU, epsilon: 1e-5)
    }
    // Eight times as narrow: every matrix of a block has 1/64 of its elements.
    let configuration = CLIPConfiguration(
      vision: .visionTransformer(VisionConfiguration(transformer: size(96, 12), imageSize: 2, patchSize: 2)),
      text: TextConfiguration(transformer: size(64, 8), vocabulary: 3, contextLength: 2), embedding: 1)
    let model = CLIP.random(configuration, seed: 1)
    func count(_ part: TunedTowers, _ sites: MaskSites) -> Int {
      let all = part.parameters(of: TowerPair(image: model.vision, text: model.text))
      // The paper's text masks no patch embedding, whose size is another one here.
      return 64 * 12 * sites.groups(among: all, .paper).joined().reduce(0) { $0 + $1.value.count }
    }
    let patches = 589_824
    #expect(count(.text, .attention) == 12_582_912 && count(.text, .mlp) == 25_165_824)
    #expect(count(.text, .all) == 37_748_736)
    #expect(count(.vision, .attention) + patches == 28_901_376 && count(.vision, .all) + patches == 85_524_480)
    #expect(count(.both, .attention) + patches == 41_484_288 && count(.both, .mlp) == 81_788_928)
    #expect(count(.both, .all) + patches == 123_273_216)
  }

  /// All weights are kept: the frozen model, and its teacher, to the bit.
  @Test(arguments: TunedTowers.allCases) func itStartsAsTheFrozenModel(_ part: TunedTowers) throws {
    let method = method(tuning(part))
    let text = golden.texts().classifier(Pass()).value
    let zeroShot = ZeroShot(textFeatures: text, logitScale: golden.model.logitScale)
    let frozen = Method(encoder: FrozenEncoder(), head: zeroShot, tower: towers.image)
    let start = method.trainables.map(\.initial)
    let logits = try frozen.logits(images(), values: [])
    #expect(try method.logits(images(), values: start) == logits)
    var teacher: Tensor?
    let observer = StepObserver(
      show: { name, value in if name == "teacher/logits" { teacher = value } }, draw: { $1 })
    _ = method.step(try images(), labels: [0, 3, 1, 4], values: start, seed: 1, step: 0, observer)
    #expect(teacher == logits)
  }

  /// λ acts on text masks: at 0 the gradient is that of L_a, above it some entries of the text tower are smaller.
  @Test func gradientDropoutReachesTheTextTower() throws {
    func gradients(_ lambda: Real) throws -> [String: Tensor] {
      let method = method(tuning(.both, lambda: lambda))
      let values = moved(method)
      let step = method.step(try images(), labels: [0, 3, 1, 4], values: values, seed: 1, step: 2)
      return Dictionary(uniqueKeysWithValues: zip(method.trainables.map(\.name), step.gradients))
    }
    let (plain, dropped) = (try gradients(0), try gradients(0.3))
    for tower in ["vision", "text"] {
      let names = plain.keys.filter { $0.hasPrefix(tower) }
      #expect(!names.isEmpty)
      var counts: [Real: Int] = [:]
      for name in names {
        for (a, g) in zip(plain[name]?.values ?? [], dropped[name]?.values ?? []) where a != 0 {
          counts[(10 * g / a).rounded(), default: 0] += 1
        }
      }
      #expect(Set(counts.keys) == [7, 10], "\(tower)")
    }
    // Adding masks of the text tower changes no draw of the image tower.
    let vision = method(tuning(.vision))
    let both = method(tuning(.both))
    #expect(vision.trainables.map(\.name) == both.trainables.map(\.name).filter { $0.hasPrefix("vision") })
  }

  @Test func aDeltaHasTheSameBits() throws {
    let folder = try TemporaryFolder()
    let method = method(tuning(.both))
    let values = moved(method)
    var delta = Delta(
      .init(
        method: "r-mt", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    method.encoder.write(values, to: &delta)
    let url = folder.url.appendingPathComponent("delta.safetensors")
    try delta.write(to: url)
    let read = try Delta(contentsOf: url, for: towers, modelHash: "abc")
    let text = golden.texts().settledClassifier(read.pass(on: towers))
    let tuned = read.method(on: towers.image, text: (text, golden.model.logitScale))
    #expect(try tuned.logits(images(), values: []) == method.logits(images(), values: values))
    // W ⊙ B in the weights: the same bits again.
    let merged = Dictionary(uniqueKeysWithValues: try read.merged(into: towers.parameters).map { ($0.site, $0.value) })
    #expect(merged.count == 25 && merged.keys.contains("text.blocks.1.mlp.down"))
    let sites = Dictionary(uniqueKeysWithValues: towers.parameters.map { ($0.site.name, $0.site) })
    let pass = Pass(
      tunings: Dictionary(
        uniqueKeysWithValues: try merged.map { (try #require(sites[$0.key]), Tuning.replaced(Variable($0.value))) }))
    let features = towers(Variable(try golden.tensor("images")), pass)
    let logits = features.contrastiveLogits(
      classifier: golden.texts().classifier(pass), logitScale: golden.model.logitScale, Pass())
    #expect(try logits.value == method.logits(images(), values: values))
  }

  @Test func settingsAreCheckedAndRead() throws {
    let name = try #require(MethodName("r-amt"))
    var recipe = name.recipe(PublishedSetting(benchmark: nil, shots: 16, fidelity: .official))
    #expect(!name.encoder.tunesText(recipe) && name.refusal(recipe) == nil)
    let option = try #require(name.options.first { $0.name == "towers" })
    let before = recipe
    try option.apply("vision", to: &recipe)
    #expect(recipe == before)
    try option.apply("text", to: &recipe)
    #expect(name.encoder.tunesText(recipe) && name.refusal(recipe) == nil)
    #expect(try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(recipe)) == recipe)
    #expect(String(decoding: try JSONEncoder().encode(recipe), as: UTF8.self).contains("\"towers\":\"text\""))
    let pair = try #require(MethodName("r-amt+task-res"))
    #expect(pair.refusal == nil && pair.refusal(before) == nil && pair.refusal(recipe)?.alone == "r-amt")
    #expect(throws: SettingError.self) { try pair.check(recipe) }
    recipe.stochasticDepth = 0.1
    #expect(throws: SettingError.self) { try name.check(recipe) }
    #expect(throws: SettingError.self) { try option.apply("image", to: &recipe) }
    // A ResNet without MLPs has a text tower with them.
    let resNet = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let tower = CLIP.random(CLIPConfiguration(vision: resNet, text: TextTower.configuration, embedding: 5), seed: 1)
      .vision
    let mlp = try #require(MethodName("r-mmt"))
    var own = mlp.recipe(PublishedSetting(benchmark: nil, shots: 16, fidelity: .official))
    #expect(throws: SettingError.self) { try mlp.encoder.check(tower, own, .official) }
    try option.apply("text", to: &own)
    #expect(throws: Never.self) { try mlp.encoder.check(tower, own, .official) }
  }
}
