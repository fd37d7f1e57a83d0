import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The enhanced base, the residual on it, and a residual on texts of length 1 that starts at random, against PyTorch
/// (`Tests/Fixtures/heads/enhanced.py`).
///
/// TaskRes (j), (k) and (l).
@Suite struct EnhancedBaseTests {
  private let file: SafeTensorsFile
  private static let logitScale = Parameter(Site("logitScale", .logitScale), Tensor(Real(log(30.0))))

  init() throws {
    file = try SafeTensorsFile(contentsOf: Fixtures.embedded.appendingPathComponent("heads/enhanced.safetensors"))
  }

  /// The mean over two templates of what the projection reads.
  private func trunk() throws -> Tensor {
    try Variable(file.tensor("trunk")).reshaped(to: [4, 2, 6]).meanToken().value
  }

  /// Ten steps of Adam from a value, compared with those of the script.
  private func train(_ name: String, _ head: any Head, rate: Double, from start: Tensor? = nil) throws -> Tensor {
    let labels = try file.integers("labels").map { Int32($0) }
    let method = Method(encoder: FrozenEncoder(), head: head, tower: try TinyCLIP.model().vision)
    var values = [start ?? method.trainables[0].initial]
    var adam = Adam(method.slots, weightDecay: 5e-4)
    var losses: [Double] = []
    for step in 0..<10 {
      let found = method.step(
        .features(try file.tensor("features")), labels: labels, values: values, seed: 1, step: step)
      losses.append(found.terms[0].value)
      adam.step(parameters: &values, gradients: found.gradients, learningRate: rate)
    }
    // As `TaskResFormsTests`; the rate of the base is five times as high.
    let (loss, value) = GradientCheck.isDouble ? (1e-5, 1e-6) : (3e-4, 5e-4)
    expectClose(losses, try file.tensor("\(name).losses").values.map { Double($0) }, rtol: 0, atol: loss, name)
    expectClose(values[0], try file.tensor("\(name).end"), rtol: 0, atol: value, name)
    return values[0]
  }

  @Test func theBaseIsTrainedAndThenTheResidualOnIt() throws {
    let projection = Parameter(Site("text.projection", .projection), try file.tensor("projection"))
    let base = EnhancedBase(trunk: try trunk(), projection: projection, logitScale: Self.logitScale)
    #expect(base.trainables[0].count == 48 && base.trainables[0].name == "text.projection")
    let tuned = try train("base", base, rate: 1e-2)
    let text = base.classifier([Variable(tuned)]).value
    expectClose(text, try file.tensor("base.text"), rtol: 0, atol: GradientCheck.isDouble ? 1e-5 : 2e-3)
    var head = TaskRes(
      textFeatures: try file.tensor("base.text"), alpha: 0.5, logitScale: Self.logitScale)
    head.base = ["text.projection": tuned]
    #expect(head.fittedCount == 48)
    _ = try train("enhanced", head, rate: 2e-3)
  }

  @Test func textsMayHaveLengthOneAndTheResidualMayStartAnywhere() throws {
    let text = Variable(try trunk()).linear(Variable(try file.tensor("projection"))).l2Normalized().value
    let head = TaskRes(textFeatures: text, alpha: 0.5, logitScale: Self.logitScale)
    _ = try train("unit", head, rate: 2e-3, from: try file.tensor("residual"))
  }

  /// N(0, σ²) by the seed: 512 values have a mean within 5 σ/√512 and a deviation within a fifth of σ.
  @Test(arguments: TaskRes.Form.allCases) func residualsStartAtRandomByTheSeed(_ form: TaskRes.Form) throws {
    func start(_ deviation: Double, seed: UInt64) -> [Trainable] {
      TaskRes(
        textFeatures: .zeros([8, 64]), alpha: 0.5, logitScale: Self.logitScale, form: form, learnsAlpha: true,
        deviation: deviation, seed: seed
      ).trainables
    }
    #expect(start(0, seed: 1).dropLast().allSatisfy { $0.initial.values.allSatisfy { $0 == 0 } })
    let found = start(0.1, seed: 1)
    #expect(found.map(\.initial) == start(0.1, seed: 1).map(\.initial))
    #expect(zip(found, start(0.1, seed: 2)).dropLast().allSatisfy { $0.initial != $1.initial })
    #expect(found.last?.initial.values == [0.5])
    if let first = found.first, form != .image {
      let values = first.initial.values.map { Double($0) }
      let mean = values.reduce(0, +) / 512
      #expect(abs(mean) < 5 * 0.1 / 512.0.squareRoot())
      #expect(abs((values.reduce(0) { $0 + $1 * $1 } / 512).squareRoot() - 0.1) < 0.02)
    }
    if form == .both { #expect(found[1].initial.values != Array(found[0].initial.values.prefix(64))) }
  }

  /// Another projection of what is read once is the tower with that projection, to the bit.
  @Test(arguments: [1, 2]) func theBaseIsThatOfTheTower(templates: Int) throws {
    let text = TransformerConfiguration(
      width: 8, hiddenWidth: 12, blocks: 2, heads: 2, activation: .quickGELU, epsilon: 1e-5)
    let model = CLIP.random(
      CLIPConfiguration(
        vision: TinyCLIP.vision, text: TextConfiguration(transformer: text, vocabulary: 5, contextLength: 4),
        embedding: TinyCLIP.embedding), seed: 3)
    let texts = ClassTexts(
      model.text, rows: (0..<4).map { [1, Int32($0), 3, 2] }, ends: [3, 2, 3, 3], templates: templates)
    let weight = model.text.projection.weight
    let other = Tensor(weight.value.shape, weight.value.values.enumerated().map { $1 + 0.1 * Real($0 % 3) })
    let pass = Pass(tunings: [weight.site: .replaced(Variable(other))])
    #expect(texts.classifier(trunk: texts.trunk(), projection: other) == texts.settledClassifier(pass))
    let base = EnhancedBase(texts, logitScale: model.logitScale)
    expectClose(
      base.classifier(base.trainables.map { Variable($0.initial) }).value, texts.settledClassifier(Pass()),
      rtol: 1e-4, atol: 1e-5)
  }

  /// 512² parameters for ViT-B/16, 50 epochs at 1e-4, all else as the residual has it.
  @Test func theRecipeOfTheBaseIsThatOfTheResidual() throws {
    let method = TaskResMethod()
    var recipe = method.recipe(PublishedSetting(benchmark: .imagenet, shots: 16, fidelity: .official))
    #expect(method.base(of: recipe) == nil && !method.readsTexts(recipe))
    try method.options.first { $0.name == "enhanced" }?.apply("", to: &recipe)
    let base = try #require(method.base(of: recipe))
    #expect(method.readsTexts(recipe) && method.readsTexts(base) && method.base(of: base) == nil)
    #expect(base.epochs == 50 && base.head.learningRate == 1e-4 && recipe.epochs == 200)
    #expect(base.head.weightDecay == 5e-4 && base.head.kind == .adam && base.head.warmup == .constant)
    #expect(base.batchSize == 256 && base.augments && base.smallestCrop == 0.08)
    try method.options.first { $0.name == "enhanced-epochs" }?.apply("7", to: &recipe)
    try method.options.first { $0.name == "enhanced-lr" }?.apply("0.5", to: &recipe)
    #expect(method.base(of: recipe)?.epochs == 7 && method.base(of: recipe)?.head.learningRate == 0.5)
    let name = try #require(MethodName("lora+task-res"))
    let error = #expect(throws: SettingError.self) { try name.check(recipe) }
    #expect(error?.setting == "enhanced" && error?.found == "lora")
    let read = try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(base))
    #expect(read == base)
  }

  @Test func settingsOfNoRunAreRefused() {
    func problem(_ change: (inout TaskResSettings) -> Void) -> String? {
      var settings = TaskResSettings(alpha: 0.5)
      change(&settings)
      return settings.problem
    }
    #expect(problem { _ in } == nil && problem { $0.enhancement = .init() } == nil)
    #expect(problem { $0.residualDeviation = -1 } == "residualDeviation: expected 0 to 1, found -1.0")
    #expect(problem { $0.trainsBase = true } == "trainsBase: expected enhancement with it, found none")
    #expect(
      problem { $0.enhancement = .init(epochs: 0) } == "enhancement.epochs: expected 1 to 1000000, found 0")
    #expect(
      problem { $0.enhancement = .init(learningRate: -1) }
        == "enhancement.learningRate: expected 0 or more, found -1.0")
  }
}
