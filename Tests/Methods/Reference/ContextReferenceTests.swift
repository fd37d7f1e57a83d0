import Checks
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Learned prompts in plain loops: the vectors as further rows of the table of tokens.
@Suite struct ContextReferenceTests {
  private static let (classes, embedding, vocabulary) = (4, 32, 12)
  private let text: TextTransformer
  private let encoder: PromptEncoder
  private let features = CheckNumbers(seed: 3).tensor([5, 32], scale: 2)
  private let labels: [Int] = (0..<5).map { $0 * 3 % 4 }

  /// A text tower of random weights.
  init() {
    let size = TransformerConfiguration(
      width: 9, hiddenWidth: 11, blocks: 2, heads: 3, activation: .quickGELU, epsilon: 1e-5)
    text =
      CLIP.random(
        CLIPConfiguration(
          vision: TinyCLIP.vision,
          text: TextConfiguration(transformer: size, vocabulary: Self.vocabulary, contextLength: 12),
          embedding: Self.embedding), seed: 4
      ).text
    encoder = PromptEncoder(
      classes: (0..<Self.classes).map { "\($0)" }, tower: text, startOfText: 10, endOfText: 11, tokens: Self.tokens)
  }

  /// Class c has c + 1 tokens, (3 c + i) mod 9; the full stop is token 9.
  @Sendable private static func tokens(_ text: String) -> [Int32] {
    if let number = Int32(text) { return (0...number).map { (3 * number + $0) % 9 } }
    return [9]
  }

  /// The same weights under the names of their sites.
  private var network: Network {
    Network(
      Dictionary(uniqueKeysWithValues: text.parameters.map { ($0.site.name, Matrix($0.value)) }),
      TransformerSettings(blocks: 2, heads: 3, epsilon: Double(1e-5 as Real), nonlinearity: .quickGELU))
  }

  private func prompts(contexts: [[Int]], before: Int) -> (ids: [[Int]], ends: [Int]) {
    contextPrompts(
      names: encoder.classes.map { Self.tokens($0).map { Int($0) } }, contexts: contexts, before: before,
      startOfText: 10, fullStop: [9], endOfText: 11)
  }

  /// In single precision chains of up to a thousand additions, with 6e-8 for each, of the largest gradient.
  private static let error = GradientCheck.isDouble ? 1e-10 : 1e-4

  private func expectNear(_ found: Tensor, _ wanted: Matrix?, _ name: String) {
    expectTwin(Matrix(found), wanted, name) { _ in Self.error * (wanted?.largest ?? 0) }
  }

  private func step(_ head: any Head, _ values: [Tensor]) -> (loss: Double, gradients: [Tensor]) {
    let tape = Tape()
    let leaves = values.map { tape.leaf($0) }
    let loss = head.logits(Variable(features), leaves, Pass()).crossEntropy(labels: labels.map { Int32($0) })
    return (Double(loss.value.scalar), tape.gradients(of: loss, for: leaves))
  }

  private static let forms: [(ContextSettings.Position, Int, Bool)] = [
    (.end, 5, false), (.middle, 2, false), (.front, 0, false), (.end, 5, true),
  ]

  /// CoOp (a), (b).
  @Test(arguments: forms.indices) func aContextAgrees(_ index: Int) throws {
    let (position, before, isClassSpecific) = Self.forms[index]
    var settings = ContextSettings.Context()
    (settings.length, settings.position, settings.isClassSpecific) = (5, position, isClassSpecific)
    let head = try LearnedContext(
      encoder, settings, logitScale: ReferenceTwin.logitScaleParameter, seed: 1)
    // Far from the start, where vectors are so short that norms magnify roundings.
    let shape = head.trainables[0].initial.shape
    let context = CheckNumbers(seed: 8).tensor(shape)
    let contexts = (0..<Self.classes).map { c in
      (0..<5).map { Self.vocabulary + (isClassSpecific ? 5 * c : 0) + $0 }
    }
    let prompts = prompts(contexts: contexts, before: before)
    let wanted = network.contextGradients(
      Matrix(context), prompts: prompts, features: Matrix(features), labels: labels,
      logitScale: ReferenceTwin.logitScale)
    let found = step(head, [context])
    expectClose([found.loss], [wanted.loss], rtol: 0, atol: 10 * Self.error, "loss")
    #expect(wanted.context.largest > 1e-3)
    expectNear(found.gradients[0], wanted.context, "context")
    let texts = network.withContext(Matrix(context)).textTransformer(prompts.ids, ends: prompts.ends).features
    expectNear(head.classifier([Variable(context)]).value, texts, "text features")
  }

  /// CoCoOp (a) to (c).
  @Test func aConditionalContextAgrees() throws {
    var numbers = CheckNumbers(seed: 9)
    let values = [
      numbers.next([3, 9]), numbers.next([2, Self.embedding]), numbers.next([2], in: 0.5...1), numbers.next([9, 2]),
      numbers.next([9], scale: 0.3),
    ]
    let head = try ConditionalContext(encoder, values, logitScale: ReferenceTwin.logitScaleParameter)
    let contexts = Array(repeating: (0..<3).map { Self.vocabulary + $0 }, count: Self.classes)
    let wanted = network.conditionalContextGradients(
      Parameters(ConditionalContext.parts, values), prompts: prompts(contexts: contexts, before: 3),
      features: Matrix(features), labels: labels, logitScale: ReferenceTwin.logitScale)
    let found = step(head, values)
    expectClose([found.loss], [wanted.loss], rtol: 0, atol: 10 * Self.error, "loss")
    for (part, gradient) in zip(ConditionalContext.parts, found.gradients) {
      #expect((wanted.gradients[part]?.largest ?? 0) > 1e-4, "\(part)")
      expectTwin(Matrix(gradient), wanted.gradients[part], part) { _ in Self.error * wanted.gradients.largest }
    }
  }
}
