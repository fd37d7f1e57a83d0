extension Variable {
  /// A linear map of the last dimension.
  ///
  ///     y = x Wᵀ + b
  ///
  /// Backward:
  ///
  ///     ∂x = ∂y W,   ∂W = ∂yᵀ x,   ∂b = Σ_rows ∂y
  ///
  /// - x: [..., in]; W: [out, in]; b: [out] or none; y: [..., out]. Traps on other shapes.
  /// - Keeps W where x needs a gradient, and x where W does.
  public func linear(_ weight: Variable, bias: Variable? = nil) -> Variable {
    linear(weight, bias: bias, packed: nil)
  }

  /// The same with memory for the packed form of W, which it keeps from one call to the next.
  ///
  /// - packed: used if nothing needs a gradient and x has few rows.
  package func linear(_ weight: Variable, bias: Variable? = nil, packed: PackedWeight?) -> Variable {
    let products = LinearProducts(shape, weight.shape, bias?.shape)
    let isInference = !needsGradient && !weight.needsGradient
    let y = products.output(value, weight.value, packed: isInference ? packed : nil, bias: bias?.value)
    let keptWeight = needsGradient ? weight.value : nil
    let keptInput = weight.needsGradient ? value : nil
    let biasNeedsGradient = bias?.needsGradient ?? false
    return Tape.record(
      .linear, y, from: [self, weight] + (bias.map { [$0] } ?? []),
      sharedBackward: { dys in
        let dx = keptWeight.map { products.inputGradients(dys, $0) }
        let dw = keptInput.map { products.weightGradients(dys, $0) }
        return dys.indices.map { index in
          [dx?[index], dw?[index], biasNeedsGradient ? products.biasGradient(dys[index]) : nil]
        }
      })
  }

  /// A linear map and an activation, f(x Wᵀ + b): the same bits as one after another.
  ///
  /// Where nothing needs a gradient the activation is applied while the outputs are in the first-level cache; otherwise
  /// its backward pass needs its input, and both are calculated one after another.
  package func linear(
    _ weight: Variable, bias: Variable? = nil, packed: PackedWeight? = nil, then activation: Activation
  ) -> Variable {
    guard !needsGradient, !weight.needsGradient, !(bias?.needsGradient ?? false) else {
      return activation(linear(weight, bias: bias, packed: packed))
    }
    let products = LinearProducts(shape, weight.shape, bias?.shape)
    return Variable(
      products.output(
        value, weight.value, packed: packed, bias: bias?.value, finish: { activation.map($0, into: $0, count: $1) }))
  }
}
