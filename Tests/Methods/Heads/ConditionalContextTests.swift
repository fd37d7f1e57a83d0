import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Prompts that depend on the image: from PyTorch's steps (`Tests/Fixtures/heads/cocoop.py`) to a delta.
@Suite struct ConditionalContextTests {
  private let tensors: [String: Tensor]
  private let model: CLIP
  private let encoder: PromptEncoder
  private static let embedding = 32

  init() throws {
    let file = try SafeTensorsFile(contentsOf: Fixtures.embedded.appendingPathComponent("heads/cocoop.safetensors"))
    var tensors: [String: Tensor] = [:]
    for name in file.names { tensors[name] = try file.tensor(name) }
    self.tensors = tensors
    let text = TransformerConfiguration(
      width: 8, hiddenWidth: 12, blocks: 2, heads: 2, activation: .quickGELU, epsilon: 1e-5)
    let configuration = CLIPConfiguration(
      vision: TinyCLIP.vision, text: TextConfiguration(transformer: text, vocabulary: 12, contextLength: 12),
      embedding: Self.embedding)
    var stored = TinyCLIP.tensors().merging(
      tensors.filter { name, _ in
        let parts = ["transformer.", "ln_final.", "token_embedding", "positional", "text_projection"]
        return parts.contains(where: name.hasPrefix)
      }
    ) { $1 }
    let width = TinyCLIP.vision.transformer.width
    stored["visual.proj"] = Tensor(
      [width, Self.embedding], (0..<width * Self.embedding).map { Real($0 % 7) / 7 - 0.4 })
    model = try CLIP(configuration, from: MemorySource(tensors: stored), layout: .openAICLIP)
    encoder = Self.encoder(model, classes: 0..<4)
  }

  private static func encoder(_ model: CLIP, classes: Range<Int>) -> PromptEncoder {
    PromptEncoder(
      classes: classes.map { "\($0)" }, tower: model.text, startOfText: 10, endOfText: 11, tokens: tokens)
  }

  /// Class c has c + 1 tokens, (3 c + i) mod 9; the full stop is token 9, and a word of letters has one for each.
  @Sendable private static func tokens(_ text: String) -> [Int32] {
    if let number = Int32(text) { return (0...number).map { (3 * number + $0) % 9 } }
    return text == "." ? [9] : text.utf8.map { Int32($0) % 9 }
  }

  private func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(name)") }

  private func values(_ run: String) throws -> [Tensor] {
    try ConditionalContext.parts.map { try tensor("\(run).\($0)") }
  }

  private func method(_ classes: Range<Int> = 0..<4) throws -> Method {
    let head = try ConditionalContext(
      Self.encoder(model, classes: classes), values("start"), logitScale: model.logitScale)
    return Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
  }

  private static let batches = ["batch": Array(repeating: [0, 1, 2, 3, 4], count: 3), "single": (0..<5).map { [$0] }]

  /// Tolerances as `LearnedContextTests` has them (CoCoOp (a) to (c)).
  @Test(arguments: ["batch", "single"]) func stepsAreThoseOfPyTorch(_ name: String) throws {
    let tolerance = GradientCheck.isDouble ? 2e-6 : 3e-4
    let method = try method()
    var values = try values("start")
    var optimizer = SGD(method.slots, momentum: 0.9, weightDecay: 5e-4)
    let features = try tensor("features")
    var losses: [Double] = []
    for (step, batch) in (Self.batches[name] ?? []).enumerated() {
      let found = method.step(
        .features(features.rows(batch)), labels: batch.map { Int32($0 * 3 % 4) }, values: values, seed: 1, step: step)
      losses.append(found.terms[0].value)
      optimizer.step(parameters: &values, gradients: found.gradients, learningRate: 0.1)
    }
    let wanted = try tensor("\(name).losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: 0, atol: 10 * tolerance, "\(name) losses")
    for (part, value) in zip(ConditionalContext.parts, values) {
      expectClose(value, try tensor("\(name).\(part)"), rtol: tolerance, atol: tolerance, "\(name) \(part)")
    }
    let logits = method.logits(.features(features), values: values)
    expectClose(logits, try tensor("\(name).logits"), rtol: 0, atol: 20 * tolerance, "\(name) logits")
  }

  /// The logits of an image have the same bits alone and in a batch; the gradients of a batch are the means of those of
  /// its images.
  @Test func aBatchIsWalkedImageByImage() throws {
    let (method, values, features) = (try method(), try values("start"), try tensor("features"))
    let together = method.logits(.features(features), values: values)
    for row in 0..<5 {
      #expect(method.logits(.features(features.rows([row])), values: values) == together.rows([row]), "\(row)")
    }
    func gradients(_ rows: [Int]) -> [Tensor] {
      method.step(
        .features(features.rows(rows)), labels: rows.map { Int32($0 % 4) }, values: values, seed: 1, step: 0
      ).gradients
    }
    let (batch, single) = (gradients([0, 1, 2, 3, 4]), (0..<5).map { gradients([$0]) })
    for index in batch.indices {
      let mean = batch[index].values.indices.map { element in
        single.reduce(0) { $0 + Double($1[index].values[element]) } / 5
      }
      expectClose(
        batch[index].values.map { Double($0) }, mean, rtol: 1e-4, atol: GradientCheck.isDouble ? 1e-12 : 1e-5)
    }
  }

  /// A step holds what the backward pass of one image reads: sixteen images take less than twice the memory of two. The
  /// model is wide enough for its activations to be counted, which tensors below 64 KiB are not.
  @Test func aStepHoldsOneImageAtATime() async {
    await #expect(processExitsWith: .success) {
      let text = TransformerConfiguration(
        width: 256, hiddenWidth: 512, blocks: 1, heads: 4, activation: .quickGELU, epsilon: 1e-5)
      let wide = CLIP.random(
        CLIPConfiguration(
          vision: TinyCLIP.vision, text: TextConfiguration(transformer: text, vocabulary: 12, contextLength: 12),
          embedding: 64), seed: 1)
      let encoder = PromptEncoder(
        classes: (0..<30).map { "\($0)" }, tower: wide.text, startOfText: 10, endOfText: 11
      ) { $0.split(separator: " ").indices.map { Int32($0) } }
      let head = try ConditionalContext(encoder, .init(), logitScale: wide.logitScale, seed: 1)
      let method = Method(encoder: FrozenEncoder(), head: head, tower: wide.vision)
      func peak(_ count: Int) -> Int {
        let input = Method.Input.features(CheckNumbers(seed: 1).tensor([count, 64], scale: 1))
        let values = method.trainables.map(\.initial)
        let live = Workload.liveBytes
        Workload.resetPeak()
        _ = method.step(input, labels: (0..<count).map { Int32($0) }, values: values, seed: 1, step: 0)
        return Workload.peakBytes - live
      }
      _ = peak(1)
      let (two, sixteen) = (peak(2), peak(16))
      require(two > 1 << 20 && sixteen < 2 * two, "expected one image at a time, found \(two) and \(sixteen) bytes")
    }
  }

  /// 2,048 for the four words and 33,312 for the map, of a text tower as wide as that of ViT-B/16 (CoCoOp (d)).
  @Test func theCountForViTB16IsTheSpecs() throws {
    let text = TransformerConfiguration(
      width: 512, hiddenWidth: 8, blocks: 1, heads: 8, activation: .quickGELU, epsilon: 1e-5)
    let large = CLIP.random(
      CLIPConfiguration(
        vision: TinyCLIP.vision, text: TextConfiguration(transformer: text, vocabulary: 12, contextLength: 12),
        embedding: 512), seed: 1)
    let encoder = PromptEncoder(
      classes: ["0"], tower: large.text, startOfText: 10, endOfText: 11
    ) { $0.split(separator: " ").indices.map { Int32($0) } }
    func head(_ seed: UInt64) throws -> ConditionalContext {
      try ConditionalContext(encoder, .init(), logitScale: large.logitScale, seed: seed)
    }
    let found = try head(1).trainables
    #expect(found.map(\.count) == [2048, 32 * 512, 32, 512 * 32, 512])
    #expect(found.reduce(0) { $0 + $1.count } == 35_360)
    #expect(found[0].initial == large.text.embeddings(of: [0, 1, 2, 3]))
    // ±1/√in, by the seed; the words do not depend on it.
    for (index, bound) in [(1, 1 / 512.0.squareRoot()), (2, 1 / 512.0.squareRoot()), (3, 1 / 32.0.squareRoot())] {
      let largest = found[index].initial.values.reduce(0) { max($0, abs(Double($1))) }
      #expect(largest <= bound && largest > 0.8 * bound, "\(index)")
    }
    let other = try head(2).trainables
    #expect(other[0].initial == found[0].initial)
    #expect(zip(other, found).dropFirst().allSatisfy { $0.initial != $1.initial })
  }

  private func delta(_ change: (inout Delta) -> Void = { _ in }) throws -> Delta {
    var delta = Delta(
      .init(
        method: "cocoop", model: "abc", classes: encoder.classes, templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    try method().head.write(values("batch"), to: &delta)
    change(&delta)
    return delta
  }

  private func reread(_ delta: Delta) throws -> Delta {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("delta.safetensors")
    try delta.write(to: url)
    let towers = TowerPair(image: model.vision, text: model.text)
    return try Delta(contentsOf: url, for: towers, modelHash: "abc")
  }

  /// Of its own classes, and of others that it has not seen.
  @Test(arguments: [0..<4, 2..<5]) func aDeltaHasTheSameBits(_ classes: Range<Int>) throws {
    let read = try reread(delta())
    #expect(!read.tunesHead)
    let text = (Tensor.zeros([classes.count, Self.embedding]), model.logitScale)
    let images = Method.Input.images(TinyCLIP.images(3))
    let tuned = try read.method(on: model.vision, text: text, prompts: Self.encoder(model, classes: classes))
    #expect(try tuned.logits(images, values: []) == method(classes).logits(images, values: values("batch")))
    #expect(throws: ExportError.self) { try read.merged(into: model.vision.parameters) }
  }

  @Test func deltasThatDoNotFitAreRefused() throws {
    for (part, shape) in [
      ("up", [7, 2]), ("up.bias", [7]), ("tokens", [3, 7]), ("down.bias", [3]), ("down", [2, 5]), ("up", [8, 3]),
    ] as [(String, Shape)] {
      let changed = try delta { $0.tensors[DeltaEntry.context(part: part).name] = .zeros(shape) }
      #expect(throws: DeltaError.self, "\(part)") { try reread(changed) }
    }
    let missing = try delta { $0.tensors[DeltaEntry.context(part: "up").name] = nil }
    #expect(throws: DeltaError.self) { try reread(missing) }
  }

  @Test func promptsThatDoNotFitAreRefused() throws {
    var settings = ConditionalContextSettings.Context()
    (settings.words, settings.length) = (nil, 5)
    #expect(throws: Never.self) {
      try ConditionalContext(encoder, settings, logitScale: model.logitScale, seed: 1)
    }
    settings.length = 6
    let long = #expect(throws: SettingError.self) {
      try ConditionalContext(encoder, settings, logitScale: model.logitScale, seed: 1)
    }
    #expect(long?.description == "context-tokens: expected prompts of at most 12 tokens, found 13 with \"3\"")
    settings.words = ""
    #expect(throws: SettingError.self) {
      try ConditionalContext(encoder, settings, logitScale: model.logitScale, seed: 1)
    }
    let name = try #require(MethodName("clip-lora+cocoop"))
    #expect(name.publishedRefusal?.alone == "clip-lora")
    #expect(MethodName("r-amt+cocoop")?.refusal == nil && MethodName("cocoop")?.refusal == nil)
  }

  /// CoCoOp (e).
  @Test func theRecipeIsTheAuthors() throws {
    for (benchmark, shots) in [(nil, 1), (nil, 16), (.imagenet, 16)] as [(Benchmark?, Int)] {
      let recipe = ConditionalContextMethod().recipe(
        PublishedSetting(benchmark: benchmark, shots: shots, fidelity: .official))
      #expect(recipe.epochs == 10 && recipe.batchSize == 1 && recipe.augments && recipe.smallestCrop == 0.08)
      #expect(recipe.head.learningRate == 2e-3 && recipe.head.weightDecay == 5e-4 && recipe.head.kind == .sgd)
      #expect(recipe.head.momentum == 0.9 && recipe.head.warmup == .constant && recipe.head.warmupEpochs == 1)
      let own = recipe[ConditionalContextSettings.self]?.conditionalContext
      #expect(own?.words == "a photo of a" && own?.length == 4)
      let read = try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(recipe))
      #expect(read == recipe)
    }
    var settings = ConditionalContextSettings(.init())
    #expect(settings.problem == nil)
    settings.conditionalContext.length = 0
    #expect(settings.problem == "conditionalContext.length: expected 1 to 1024, found 0")
    settings.conditionalContext.words = ""
    #expect(settings.problem == "conditionalContext.words: expected words or none, found \"\"")
  }
}
