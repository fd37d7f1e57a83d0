extension Network {
  /// The loss of prompts that depend on the image, and the gradients of all that is learned (CoCoOp (a) to (c)).
  ///
  ///     x = f_i / ‖f_i‖,   r = ReLU(D x + b),   h = U r + e,   t_c by the vectors v_m + h
  ///     z_ic = s ⟨x, t_c / ‖t_c‖⟩,   L = cross-entropy of z
  ///     ∂v_m = Σ_i ∂(v_m + h_i),   ∂h_i = Σ_m ∂(v_m + h_i)
  ///
  /// - learned: v, [M, width], as "tokens", D as "down", b as "down.bias", U as "up", e as "up.bias"; prompts: as for
  ///   a learned context; features f: [batch, embedding]; labels: one per image.
  public func conditionalContextGradients(
    _ learned: Parameters, prompts: (ids: [[Int]], ends: [Int]), features: Matrix, labels: [Int], logitScale: Double
  ) -> (loss: Double, gradients: Parameters) {
    let (tokens, down, up) = (learned.required("tokens"), learned.required("down"), learned.required("up"))
    var gradients = learned.mapValues { Matrix($0.rows, $0.columns) }
    var loss = 0.0
    for (i, label) in labels.enumerated() {
      let x = Matrix(row: features.row(i))
      let inner = linear(normalizedRows(x), weight: down, bias: learned.required("down.bias"))
      let hidden = inner.map { max(0, $0) }
      let shift = linear(hidden, weight: up, bias: learned.required("up.bias"))
      let context = Matrix(
        tokens.rows, tokens.columns, tokens.values.indices.map { tokens.values[$0] + shift[0, $0 % tokens.columns] })
      let texts = withContext(context).textTransformer(prompts.ids, ends: prompts.ends).features
      let logits = clipLogits(features: x, classifier: texts, logitScale: logitScale)
      loss += crossEntropy(logits, labels: [label]) / Double(labels.count)

      let dLogits = crossEntropyBackward(logits, labels: [label]).map { $0 / Double(labels.count) }
      let dTexts = clipLogitsBackward(dLogits, features: x, classifier: texts, logitScale: logitScale).classifier
      let dContext = contextBackward(dTexts, context: context, prompts: prompts)
      var dShift = Matrix(1, tokens.columns)
      for m in 0..<tokens.rows { for k in 0..<tokens.columns { dShift[0, k] += dContext[m, k] } }
      let dUp = linearBackward(dShift, x: hidden, weight: up)
      let dDown = linearBackward(dUp.x.zip(inner) { $1 > 0 ? $0 : 0 }, x: normalizedRows(x), weight: down)
      let own = [
        "tokens": dContext, "down": dDown.weight, "down.bias": dDown.bias, "up": dUp.weight, "up.bias": dUp.bias,
      ]
      gradients = gradients.merging(own) { $0 + $1 }
    }
    return (loss, gradients)
  }
}
