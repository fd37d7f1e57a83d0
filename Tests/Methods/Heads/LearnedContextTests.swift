import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Learned prompts: from PyTorch's steps (`Tests/Fixtures/heads/coop.py`) to a delta.
@Suite struct LearnedContextTests {
  private let tensors: [String: Tensor]
  private let model: CLIP
  private let encoder: PromptEncoder
  private static let classes = 4

  init() throws {
    let file = try SafeTensorsFile(contentsOf: Fixtures.embedded.appendingPathComponent("heads/coop.safetensors"))
    var tensors: [String: Tensor] = [:]
    for name in file.names { tensors[name] = try file.tensor(name) }
    self.tensors = tensors
    let text = TransformerConfiguration(
      width: 8, hiddenWidth: 12, blocks: 2, heads: 2, activation: .quickGELU, epsilon: 1e-5)
    let configuration = CLIPConfiguration(
      vision: TinyCLIP.vision, text: TextConfiguration(transformer: text, vocabulary: 12, contextLength: 12),
      embedding: TinyCLIP.embedding)
    let stored = TinyCLIP.tensors().merging(
      tensors.filter { name, _ in
        let parts = ["transformer.", "ln_final.", "token_embedding", "positional", "text_projection"]
        return parts.contains(where: name.hasPrefix)
      }
    ) { $1 }
    model = try CLIP(configuration, from: MemorySource(tensors: stored), layout: .openAICLIP)
    encoder = PromptEncoder(
      classes: (0..<Self.classes).map { "\($0)" }, tower: model.text, startOfText: 10, endOfText: 11,
      tokens: Self.tokens)
  }

  /// Class c has c + 1 tokens, (3 c + i) mod 9; the full stop is token 9, and a word of letters has one for each.
  @Sendable private static func tokens(_ text: String) -> [Int32] {
    if let number = Int32(text) { return (0...number).map { (3 * number + $0) % 9 } }
    return text == "." ? [9] : text.utf8.map { Int32($0) % 9 }
  }

  private func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(name)") }

  private func head(_ change: (inout ContextSettings.Context) -> Void = { _ in }) throws -> LearnedContext {
    var settings = ContextSettings.Context()
    settings.length = 5
    change(&settings)
    return try LearnedContext(encoder, settings, logitScale: model.logitScale, seed: 1)
  }

  private static let forms: [(String, ContextSettings.Position, Bool)] = [
    ("end", .end, false), ("middle", .middle, false), ("front", .front, false), ("class-specific", .end, true),
  ]

  /// As for encoder tunings: gradients have errors of 5e-4 in single precision, of which three steps at a rate of 0.1
  /// and a momentum of 0.9 add up half (CoOp (a), (b)).
  @Test(arguments: forms.indices) func threeStepsAreThoseOfPyTorch(_ index: Int) throws {
    let (name, position, isClassSpecific) = Self.forms[index]
    let tolerance = GradientCheck.isDouble ? 2e-6 : 3e-4
    let head = try head { ($0.position, $0.isClassSpecific) = (position, isClassSpecific) }
    let method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
    var values = [try tensor("\(name).start")]
    #expect(head.trainables.map(\.initial.shape) == values.map(\.shape))
    var optimizer = SGD(method.slots, momentum: 0.9, weightDecay: 0)
    let features = Method.Input.features(try tensor("features"))
    var losses: [Double] = []
    for step in 0..<3 {
      let found = method.step(features, labels: (0..<5).map { $0 * 3 % 4 }, values: values, seed: 1, step: step)
      losses.append(found.terms[0].value)
      optimizer.step(parameters: &values, gradients: found.gradients, learningRate: 0.1)
    }
    let wanted = try tensor("\(name).losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: 0, atol: 10 * tolerance, "\(name) losses")
    expectClose(values[0], try tensor("\(name).end"), rtol: tolerance, atol: tolerance, name)
    let text = head.classifier(values.map { Variable($0) }).value
    expectClose(text, try tensor("\(name).text"), rtol: 0, atol: 20 * tolerance, "\(name) text")
    // With values that stay the text tower runs once, and nothing changes.
    let settled = head.settled(values.map { Variable($0) }, Pass())
    #expect(settled.trainables.isEmpty)
    #expect(
      settled.logits(Variable(try tensor("features")), [], Pass()).value
        == head.logits(Variable(try tensor("features")), values.map { Variable($0) }, Pass()).value)
  }

  /// The words "ab" before the names are the prompts "ab NAME.": the same bits (CoOp (c)).
  @Test(arguments: [false, true]) func withWordsItStartsAsTheirTemplate(isClassSpecific: Bool) throws {
    let head = try head { ($0.words, $0.isClassSpecific) = ("ab", isClassSpecific) }
    let rows = encoder.classes.map { [10] + Self.tokens("ab") + Self.tokens($0) + [9, 11] }
    let length = rows.map(\.count).max() ?? 0
    let padded = rows.map { $0 + Array(repeating: 11, count: length - $0.count) }
    let wanted = model.text(padded, ends: rows.map { $0.count - 1 }, Pass()).value
    #expect(head.trainables[0].initial.shape == [isClassSpecific ? 8 : 2, 8])
    #expect(head.classifier(head.trainables.map { Variable($0.initial) }).value == wanted)
  }

  /// N(0, 0.02²), keyed by the seed (CoOp (c)).
  @Test func itStartsAtRandomAndIsDecayed() throws {
    let initial = try head().trainables[0]
    #expect(initial.count == 40 && initial.isDecayed)
    #expect(initial.initial.values.allSatisfy { $0 != 0 && abs($0) < 0.1 })
    var settings = ContextSettings.Context()
    settings.length = 5
    let other = try LearnedContext(encoder, settings, logitScale: model.logitScale, seed: 2)
    #expect(other.trainables[0].initial != initial.initial)
  }

  @Test func aDeltaHasTheSameBits() throws {
    let folder = try TemporaryFolder()
    let head = try head()
    let method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
    let values = [try tensor("end.end")]
    var delta = Delta(
      .init(
        method: "coop", model: "abc", classes: encoder.classes, templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    head.write(values, to: &delta)
    let url = folder.url.appendingPathComponent("delta.safetensors")
    try delta.write(to: url)
    let read = try Delta(contentsOf: url, for: model.vision, modelHash: "abc")
    let text = (Tensor.zeros([Self.classes, TinyCLIP.embedding]), model.logitScale)
    let images = Method.Input.images(TinyCLIP.images(4))
    let found = read.method(on: model.vision, text: text).logits(images, values: [])
    #expect(found == method.logits(images, values: values))
    #expect(throws: ExportError.self) { try read.merged(into: model.vision.parameters) }
  }

  /// A shared context stands around other names too; those for each class, and one whose place is unknown, do not.
  @Test(arguments: ContextSettings.Position.allCases)
  func otherNamesStandInASharedContext(_ position: ContextSettings.Position) throws {
    func delta(_ head: LearnedContext) -> Delta {
      var delta = Delta(
        .init(
          method: "coop", model: "abc", classes: encoder.classes, templates: ["a {}."], ensembling: .rawMean,
          cleaning: "published", alpha: nil))
      head.write(head.trainables.map(\.initial), to: &delta)
      return delta
    }
    let own = delta(try head { $0.position = position })
    let other = PromptEncoder(
      classes: ["3", "1"], tower: model.text, startOfText: 10, endOfText: 11, tokens: Self.tokens)
    var settings = ContextSettings.Context()
    (settings.length, settings.position) = (5, position)
    let wanted = try LearnedContext(other, settings, logitScale: model.logitScale, seed: 1)
    let texts = Tensor.zeros([2, TinyCLIP.embedding])
    let extended = try own.extended(to: other.classes, texts: texts, prompts: other)
    #expect(own.meeting(other.classes) != nil && extended.description.classes == other.classes)
    #expect(
      extended.tensors["classifier.context.features"]
        == wanted.classifier(wanted.trainables.map { Variable($0.initial) }).value)
    var unknown = own
    unknown.description.settings = ["context-position": 1e300]
    for delta in [unknown, delta(try head { $0.isClassSpecific = true })] {
      #expect(delta.meeting(other.classes) == nil)
      #expect(try delta.extended(to: other.classes, texts: texts, prompts: other).tensors == delta.tensors)
    }
  }

  @Test func promptsThatDoNotFitAreRefused() throws {
    // 12 tokens with the longest name, of four: start, context, name, full stop, end.
    #expect(throws: Never.self) { try head() }
    let long = #expect(throws: SettingError.self) { try head { $0.length = 6 } }
    #expect(
      long?.description == "context-tokens: expected prompts of at most 12 tokens, found 13 with \"3\"",
      "\(long.map { "\($0)" } ?? "none")")
    let empty = #expect(throws: SettingError.self) { try head { $0.words = "" } }
    #expect(empty?.setting == "context-init")
  }

  /// CoOp (d).
  @Test func theRecipeIsTheAuthors() throws {
    for (shots, epochs) in [(1, 50), (2, 100), (4, 100), (8, 200), (16, 200)] {
      let recipe = ContextMethod().recipe(PublishedSetting(benchmark: nil, shots: shots, fidelity: .official))
      #expect(recipe.epochs == epochs && recipe.batchSize == 32 && recipe.augments && recipe.smallestCrop == 0.08)
      #expect(recipe.head.learningRate == 2e-3 && recipe.head.weightDecay == 5e-4 && recipe.head.kind == .sgd)
      #expect(recipe.head.momentum == 0.9 && recipe.head.warmup == .constant && recipe.head.warmupEpochs == 1)
      #expect(recipe[ContextSettings.self]?.context == ContextSettings.Context())
    }
    let imagenet = ContextMethod().recipe(PublishedSetting(benchmark: .imagenet, shots: 16, fidelity: .official))
    #expect(imagenet.epochs == 50)
  }
}
