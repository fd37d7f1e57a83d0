import Models
import Tensor

/// CoCoOp: the vectors of the words before a class name depend on the image (Zhou et al. 2022, Conditional Prompt
/// Learning for Vision-Language Models, eq. 3).
///
///     t_c(f) = g([SOS] [v_1 + h(f)] … [v_M + h(f)] [name of c] [.] [EOS]),   h(f) = U ReLU(D f + b) + e
///     z_ic = s ⟨f_i, t_c(f_i) / ‖t_c(f_i)‖⟩,   f of length 1                                 (CoCoOp (a) to (c))
///
/// - v: [M, width]; D: [embedding / 16, embedding], U: [width, embedding / 16], with biases; v starts from the
///   embeddings of words or N(0, 0.02²), all others uniform in ±1/√in, as PyTorch starts linear maps.
/// - The text tower runs over all classes for every image, forward and backward, one image after another: what the
///   backward pass reads is held for one image at a time.
struct ConditionalContext: Head {
  /// log s
  let logitScale: Parameter
  /// v, D, b, U and e.
  let trainables: [Trainable]
  private let prompts: PromptTable

  /// The names of the parts in a delta, in the order of the tensors.
  static let parts = ["tokens", "down", "down.bias", "up", "up.bias"]

  /// A context at its start (CoCoOp (d)).
  ///
  /// - Throws: `SettingError` for prompts longer than the tower's context, and for words without tokens.
  init(
    _ encoder: PromptEncoder, _ settings: ConditionalContextSettings.Context, logitScale: Parameter, seed: UInt64
  ) throws(SettingError) {
    let tokens = try encoder.start(words: settings.words, count: settings.length, seed: seed)
    let (embedding, width) = (encoder.tower.projection.weight.value.shape[0], tokens.shape[1])
    let hidden = max(1, embedding / 16)
    func start(_ shape: Shape, from fan: Int, part: Int) -> Tensor {
      // Indices of the encoder's sites begin at 0, so the largest steps are free.
      let random = Random(seed: seed, purpose: .initialization, step: Int(UInt32.max) - part)
      return .uniform(shape, bound: 1 / Real(fan).squareRoot(), random)
    }
    try self.init(
      encoder,
      [
        tokens, start([hidden, embedding], from: embedding, part: 1), start([hidden], from: embedding, part: 2),
        start([width, hidden], from: hidden, part: 3), start([width], from: hidden, part: 4),
      ], logitScale: logitScale)
  }

  /// One of given values, in the order of `parts`.
  ///
  /// - Throws: `SettingError` for prompts longer than the tower's context.
  init(_ encoder: PromptEncoder, _ values: [Tensor], logitScale: Parameter) throws(SettingError) {
    self.logitScale = logitScale
    trainables = zip(Self.parts, values).map { Trainable(DeltaEntry.context(part: $0).name, $1) }
    let count = values[0].shape[0]
    let contexts = Array(repeating: Array(0..<count), count: encoder.classes.count)
    prompts = try PromptTable(encoder, contexts: contexts, of: count, .end)
  }

  /// f / ‖f‖
  func prepared(_ features: Variable) -> Variable { features.l2Normalized() }

  /// z
  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    logits(prepared: prepared(features), values, pass)
  }

  /// z for f / ‖f‖ (CoCoOp (c)).
  func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    features.eachRow(values) { $0.linear(classifier($0, $1).l2Normalized()) }
      .scaled(byExponentialOf: pass[logitScale])
  }

  /// t of one image with the feature f, [1, embedding], of length 1: [classes, embedding] (CoCoOp (a), (b)).
  func classifier(_ feature: Variable, _ values: [Variable]) -> Variable {
    let shift = feature.linear(values[1], bias: values[2]).relu().linear(values[3], bias: values[4])
    return prompts.features(values[0].adding(shift.reshaped(to: [shift.shape.width])))
  }

  /// Every image has a classifier of its own.
  var isConditional: Bool { true }
}

/// v, D, b, U and e in a delta, which meet whatever classes there are.
enum ConditionalContextDelta: DeltaPart {
  private static func tensors(of delta: Delta) -> [Tensor?] {
    ConditionalContext.parts.map { delta.tensors[DeltaEntry.context(part: $0).name] }
  }

  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    guard tensors(of: delta).contains(where: { $0 != nil }) else { return [:] }
    let extents: [[Int?]] = [[nil, nil], [nil, featureWidth], [nil], [nil, nil], [nil]]
    return Dictionary(
      uniqueKeysWithValues: zip(ConditionalContext.parts, extents).map {
        (DeltaEntry.context(part: $0).name, DeltaShape(extents: $1))
      })
  }

  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    let found = tensors(of: delta).compactMap(\.self)
    guard found.count == ConditionalContext.parts.count else { return }
    let width = (tower as? TowerPair)?.text.configuration.transformer.width ?? found[0].shape[1]
    let widths = [found[0].shape[1], found[3].shape[0], found[4].shape[0]]
    guard widths.allSatisfy({ $0 == width }) else {
      throw DeltaError(
        file, expected: "a context of width \(width)", found: widths.map { "\($0)" }.joined(separator: ", "))
    }
    let ranks = [found[1].shape[0], found[2].shape[0], found[3].shape[1]]
    guard ranks.allSatisfy({ $0 == ranks[0] }) else {
      throw DeltaError(
        file, expected: "one rank of the map from images to the context",
        found: ranks.map { "\($0)" }.joined(separator: ", "))
    }
  }

  static func head(
    of delta: Delta, text: (features: Tensor, logitScale: Parameter), prompts: PromptEncoder
  ) throws(SettingError) -> (any Head)? {
    let found = tensors(of: delta).compactMap(\.self)
    guard found.count == ConditionalContext.parts.count else { return nil }
    return FixedHead(
      head: try ConditionalContext(prompts, found, logitScale: text.logitScale), values: found)
  }

  static func mergedHead(of delta: Delta) throws(ExportError) -> [(site: String, value: Tensor)] {
    guard tensors(of: delta).allSatisfy({ $0 == nil }) else {
      throw ExportError(
        "a delta of weights", found: "prompts that depend on the image, a context which belongs to no weight")
    }
    return []
  }
}
