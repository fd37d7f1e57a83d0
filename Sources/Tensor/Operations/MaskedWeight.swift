extension Variable {
  /// A weight under a binary mask that is learned through a real one (R-AMT, spec section 3; straight-through
  /// estimator of Bengio et al. 2013).
  ///
  ///     W' = W ⊙ B,   B = 1[M > α]
  ///     ∂M = ∂W' ⊙ W,   ∂W = ∂W' ⊙ B
  ///
  /// The step from M to B has no useful derivative; ∂M is defined as ∂B, the gradient with respect to a mask relaxed
  /// to real values. It does not depend on M or B, so that a weight that is masked out can come back.
  ///
  /// - W (self), M, W': one shape; `threshold` α. An entry is kept where M > α, dropped where M ≤ α.
  /// - Keeps W, and M where W needs a gradient.
  public func masked(by mask: Variable, threshold: Real) -> Variable {
    precondition(shape == mask.shape, "masked: expected a mask of shape \(shape), found \(mask.shape)")
    let weight = mask.needsGradient ? value : nil
    let kept = needsGradient ? mask.value : nil
    let y = value.mapLanes(mask.value) { Lanes.zero.replacing(with: $0, where: $1 .> threshold) }
    return Tape.record(.maskedWeight, y, from: [self, mask]) { dy in
      [
        kept.map { dy.mapLanes($0) { Lanes.zero.replacing(with: $0, where: $1 .> threshold) } },
        weight.map { dy.mapLanes($0) { $0 * $1 } },
      ]
    }
  }
}
