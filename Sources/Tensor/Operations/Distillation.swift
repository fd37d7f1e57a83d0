extension Variable {
  /// The distillation term of R-AMT (f) (Hinton et al. 2015): cross-entropy of a student with its teacher.
  ///
  ///     p = softmax(z⁰),   q = softmax(z),   ℒ = −(1/n) Σ_i Σ_c p_ic log q_ic
  ///     ∂z = (∂ℒ/n) (q − p)
  ///
  /// From ∂ log q_c/∂z_k = 1[c = k] − q_k: −Σ_c p_c (1[c = k] − q_k) = q_k Σ_c p_c − p_k, and Σ_c p_c = 1.
  /// p is rounded as a quotient and q as exp(log q): where both models agree, ∂z is rounding noise, not exactly 0.
  ///
  /// The teacher's entropy is not subtracted: it is constant, so the gradient is that of KL(teacher ‖ student), but the
  /// value is not 0 where both agree.
  ///
  /// - student z (self), teacher z⁰: [batch, classes]; result: scalar.
  /// - Keeps p and log q.
  public func distillation(teacher: Tensor) -> Variable {
    require(
      shape.rank == 2 && teacher.shape == shape,
      "distillation: expected [batch, classes] and a teacher of this shape, found \(shape) and \(teacher.shape)")
    let (rows, classes) = (shape.rows, shape.width)
    let p = Variable(teacher).softmax().value
    let logQ = Variable(value).logSoftmax().value
    let total = Tensor.read(p, logQ) { p, logQ in longDot(p, logQ, rows * classes) }
    return Tape.record(.distillation, Tensor(Real(-total / Double(rows))), from: [self]) { dy in
      let scale = dy.scalar / Real(rows)
      @inline(__always)
      func pull(_ p: Lanes, _ logQ: Lanes) -> Lanes { (Transcendental.expOfNegative(logQ) - p) * scale }
      return [p.mapLanes(logQ, pull)]
    }
  }
}
