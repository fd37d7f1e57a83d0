extension Variable {
  /// A weight under a binary mask that is learned through a real one (R-AMT (c), (d); straight-through
  /// estimator of Bengio et al. 2013).
  ///
  ///     W' = W ⊙ B,   B = 1[M > α]
  ///     ∂M = ∂W' ⊙ W,   ∂W = ∂W' ⊙ B
  ///
  /// The step from M to B has slope 0 or none, so ∂M is defined as ∂B, the gradient for a mask relaxed to real
  /// values. Its factor W is the same for kept and dropped weights, so a weight that is masked out can come back.
  ///
  /// - W (self), M, W': one shape. An entry is kept where M > α, dropped where M ≤ α.
  /// - Keeps W, and B where W needs a gradient.
  public func masked(by mask: ThresholdedMask) -> Variable {
    require(shape == mask.shape, "masked: expected a mask of shape \(shape), found \(mask.shape)")
    let weight = mask.real.needsGradient ? value : nil
    let kept = needsGradient ? mask.bits : nil
    return Tape.record(.maskedWeight, mask.bits.applied(to: value), from: [self, mask.real]) { dy in
      [kept.map { $0.applied(to: dy) }, weight.map { dy.mapLanes($0) { $0 * $1 } }]
    }
  }
}
