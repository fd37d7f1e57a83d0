/// Prompts with learned vectors among their words (CoOp (a)).
///
///     [SOS] [v_1] … [v_k] [name] [v_k+1] … [v_M] [.] [EOS],   and [EOS] up to the longest
///
/// - names: the ids of each name; contexts: of each class the ids of its vectors, which count on where the vocabulary
///   ends; before k: M behind the context, 0 before it. Results: rows of one length, and the index of each first [EOS].
public func contextPrompts(
  names: [[Int]], contexts: [[Int]], before: Int, startOfText: Int, fullStop: [Int], endOfText: Int
) -> (ids: [[Int]], ends: [Int]) {
  var (rows, ends): ([[Int]], [Int]) = ([], [])
  for (name, context) in zip(names, contexts) {
    var row = [startOfText]
    row += context.prefix(before)
    row += name
    row += context.dropFirst(before)
    row += fullStop
    ends.append(row.count)
    rows.append(row + [endOfText])
  }
  let longest = rows.map(\.count).max() ?? 0
  return (rows.map { $0 + Array(repeating: endOfText, count: longest - $0.count) }, ends)
}

extension Network {
  /// The text tower with context vectors as further rows of its table of tokens: [vocabulary + M, width].
  public func withContext(_ context: Matrix) -> Network {
    let tokens = self["text.tokens"]
    var extended = self
    extended.weights["text.tokens"] = Matrix(
      tokens.rows + context.rows, tokens.columns, tokens.values + context.values)
    return extended
  }

  /// The gradient of context vectors by that of the text features of `contextPrompts`: their rows of the table's.
  public func contextBackward(
    _ dFeatures: Matrix, context: Matrix, prompts: (ids: [[Int]], ends: [Int])
  ) -> Matrix {
    let extended = withContext(context)
    let values = extended.textTransformer(prompts.ids, ends: prompts.ends)
    let table = extended.textTransformerBackward(dFeatures, values, prompts.ids, ends: prompts.ends)
      .required("text.tokens")
    return Matrix(context.rows, context.columns, Array(table.values.suffix(context.count)))
  }

  /// The loss of learned prompts, and the gradient of their vectors (CoOp (a), (b)).
  ///
  ///     L = cross-entropy of s ⟨f / ‖f‖, t_c / ‖t_c‖⟩,   t_c the text features of the prompt of class c
  ///
  /// - context v: [M, width]; features f: [batch, embedding]; labels: one per image.
  public func contextGradients(
    _ context: Matrix, prompts: (ids: [[Int]], ends: [Int]), features: Matrix, labels: [Int], logitScale: Double
  ) -> (loss: Double, context: Matrix) {
    let texts = withContext(context).textTransformer(prompts.ids, ends: prompts.ends).features
    let logits = clipLogits(features: features, classifier: texts, logitScale: logitScale)
    let dTexts = clipLogitsBackward(
      crossEntropyBackward(logits, labels: labels), features: features, classifier: texts, logitScale: logitScale
    ).classifier
    return (crossEntropy(logits, labels: labels), contextBackward(dTexts, context: context, prompts: prompts))
  }
}
