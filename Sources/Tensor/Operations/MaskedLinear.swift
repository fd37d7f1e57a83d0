extension Variable {
  /// A linear map under a binary mask that is learned through a real one (R-AMT (c), (d); straight-through
  /// estimator of Bengio et al. 2013).
  ///
  ///     y = x (W ⊙ B)ᵀ + b,   B = 1[M > α]
  ///
  /// Backward:
  ///
  ///     ∂x = ∂y (W ⊙ B),   ∂W = (∂yᵀ x) ⊙ B,   ∂M = (∂yᵀ x) ⊙ W,   ∂b = Σ_rows ∂y
  ///
  /// It is `x.linear(weight.masked(by: mask))`, to the bit, but W ⊙ B is never in memory: B, a bit a
  /// weight, is applied while W is packed for the product.
  ///
  /// - x: [..., in]; W, M: [out, in]; b: [out] or none; y: [..., out].
  /// - Keeps B where x or W needs a gradient, W where x or M does, and x where W or M does.
  public func linear(_ weight: Variable, maskedBy mask: ThresholdedMask, bias: Variable? = nil) -> Variable {
    require(
      weight.shape == mask.shape, "linear: expected a mask of shape \(weight.shape), found \(mask.shape)")
    let products = LinearProducts(shape, weight.shape, bias?.shape)
    let bits = mask.bits
    let y = products.output(value, weight.value, mask: bits, bias: bias?.value)
    let (xNeeds, weightNeeds, maskNeeds) = (needsGradient, weight.needsGradient, mask.real.needsGradient)
    let keptInput = weightNeeds || maskNeeds ? value : nil
    let keptWeight = xNeeds || maskNeeds ? weight.value : nil
    let biasNeedsGradient = bias?.needsGradient ?? false
    return Tape.record(
      .maskedLinear, y, from: [self, weight, mask.real] + (bias.map { [$0] } ?? []),
      sharedBackward: { dys in
        let dx = xNeeds ? keptWeight.map { products.inputGradients(dys, $0, mask: bits) } : nil
        let dwMasked = keptInput.map { products.weightGradients(dys, $0) }
        return dys.indices.map { index in
          [
            dx?[index], weightNeeds ? dwMasked.map { bits.applied(to: $0[index]) } : nil,
            maskNeeds ? keptWeight.flatMap { weight in dwMasked.map { $0[index].mapLanes(weight) { $0 * $1 } } } : nil,
            biasNeedsGradient ? products.biasGradient(dys[index]) : nil,
          ]
        }
      })
  }
}
