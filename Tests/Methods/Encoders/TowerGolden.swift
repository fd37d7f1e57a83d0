import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Three steps of PyTorch with a tiny CLIP whose projection or both towers are tuned (`Tests/Fixtures/towers`).
struct TowerGolden {
  private let tensors: [String: Tensor]
  /// The model.
  let model: CLIP

  init() throws {
    let file = try SafeTensorsFile(contentsOf: Fixtures.embedded.appendingPathComponent("towers/towers.safetensors"))
    var tensors: [String: Tensor] = [:]
    for name in file.names where name != "tokens" { tensors[name] = try file.tensor(name) }
    self.tensors = tensors
    let text = TransformerConfiguration(
      width: 8, hiddenWidth: 12, blocks: 2, heads: 2, activation: .quickGELU, epsilon: 1e-5)
    let configuration = CLIPConfiguration(
      vision: TinyCLIP.vision, text: TextConfiguration(transformer: text, vocabulary: 12, contextLength: 12),
      embedding: TinyCLIP.embedding)
    let parts = ["visual.", "transformer.", "ln_final.", "token_embedding", "positional", "text_projection", "logit_s"]
    let stored = tensors.filter { name, _ in parts.contains(where: name.hasPrefix) }
    model = try CLIP(configuration, from: MemorySource(tensors: stored), layout: .openAICLIP)
  }

  /// The classes of the images.
  static let labels: [Int32] = (0..<4).map { $0 * 3 % 5 }

  func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(name)") }

  /// The prompts of the classes, `tokens` of the script: class c has c + 1 tokens of its own.
  ///
  /// - templates: as many of the prompts in a row belong to one class; the last ones may be left out.
  func texts(templates: Int = 1, _ ensembling: TextEnsembling = .rawMean) -> ClassTexts {
    let rows: [[Int32]] = (0..<5).map { (index: Int32) in
      let own = (0...index).map { (3 * index + $0) % 9 }
      return [10] + own + Array(repeating: 9, count: 1) + Array(repeating: 11, count: 6 - own.count)
    }
    let count = 5 / templates * templates
    return ClassTexts(
      model.text, rows: Array(rows.prefix(count)), ends: (0..<count).map { $0 + 3 }, templates: templates,
      ensembling: ensembling)
  }

  /// Compares losses, what is trained, and the logits at the end.
  ///
  /// As for `EncoderGolden`: gradients have errors of 5e-4 in single precision, of which three steps at a rate of 0.1
  /// and a momentum of 0.9 add up half.
  ///
  /// - stage: what the steps train; given: the prefix of the values of what they do not, if these are not initial.
  func compare(
    _ name: String, _ method: Method, on input: Method.Input, step first: Int = 0, stage: Method.Stage = .joint,
    given: String = ""
  ) throws {
    let tolerance = GradientCheck.isDouble ? 2e-6 : 3e-4
    let trained =
      switch stage {
      case .joint: method.trainables
      case .encoder: method.encoder.trainables
      case .head: method.head.trainables
      }
    #expect(
      Set(trained.map { "\(name).start.\($0.name)" })
        == Set(tensors.keys.filter { $0.hasPrefix("\(name).start.") }))
    var values = method.trainables.map {
      tensors["\(name).start.\($0.name)"] ?? tensors["\(given).\($0.name)"] ?? $0.initial
    }
    var optimizer = SGD(method.slots, momentum: 0.9, weightDecay: 0)
    var losses: [Double] = []
    for step in 0..<3 {
      let found = method.step(input, labels: Self.labels, values: values, seed: 1, step: first + step, stage: stage)
      losses.append(found.terms[0].value)
      optimizer.step(parameters: &values, gradients: found.gradients, learningRate: 0.1)
    }
    let wanted = try tensor("\(name).losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: 0, atol: 10 * tolerance, "\(name) losses")
    let ends = Dictionary(uniqueKeysWithValues: zip(method.trainables.map(\.name), values))
    for trainable in trained {
      let end = try tensor("\(name).end.\(trainable.name)")
      expectClose(try #require(ends[trainable.name]), end, rtol: tolerance, atol: tolerance, trainable.name)
    }
    let logits = method.logits(input, values: stage == .encoder ? method.startingHead(values) : values)
    expectClose(logits, try tensor("\(name).logits"), rtol: 0, atol: 50 * tolerance, "\(name) logits")
  }
}
