extension Variable {
  /// The distillation term of R-AMT (spec "L_kl"; Hinton et al. 2015): cross-entropy of a student with its teacher.
  ///
  ///     z' = a z⁰ + (1 − a) z,   p = softmax(z'/τ),   q = softmax(z/τ)
  ///     ℒ = −(τ²/n) Σ_i Σ_c p_ic log q_ic
  ///
  /// The teacher's entropy is not subtracted: it is constant for a fixed teacher, so the gradient is that of
  /// KL(teacher ‖ student), but the value is not 0 where both agree. Backward, with ℓ = log q:
  ///
  ///     ∂z' = −(τ/n) p (ℓ − Σ_c p_c ℓ_c),   ∂z = (τ/n) (q − p) + (1 − a) ∂z',   ∂z⁰ = a ∂z'
  ///
  /// - student z (self), teacher z⁰: [batch, classes]; result: scalar. `temperature` τ > 0, `teacherShare` a in [0, 1].
  /// - Keeps p and log q.
  public func distillation(teacher: Variable, temperature: Real = 1, teacherShare: Real = 1) -> Variable {
    require(
      shape.rank == 2 && teacher.shape == shape,
      "distillation: expected [batch, classes] and a teacher of this shape, found \(shape) and \(teacher.shape)")
    let (rows, classes) = (shape.rows, shape.width)
    let blend = teacher.value.mapLanes(value) { ($0 * teacherShare + $1 * (1 - teacherShare)) / temperature }
    let p = Variable(blend).softmax().value
    let logQ = Variable(value.mapLanes { $0 / temperature }).logSoftmax().value
    let total = Tensor.read(p, logQ) { p, logQ in longSum(rows * classes) { load(p + $0, $1) * load(logQ + $0, $1) } }
    let loss = Tensor(Real(-total * Double(temperature * temperature) / Double(rows)))
    let (zNeeds, teacherNeeds) = (needsGradient, teacher.needsGradient)
    return Tape.record(.distillation, loss, from: [self, teacher]) { dy in
      let scale = dy.scalar * temperature / Real(rows)
      let throughBlend =
        teacherShare == 1 && !teacherNeeds
        ? nil
        : Tensor.read(p, logQ) { p, logQ in
          Tensor([rows, classes]) { dBlend in
            forEachRow(rows, width: classes) { row in
              let (p, logQ, dBlend) = (p + row &* classes, logQ + row &* classes, dBlend + row &* classes)
              let mean = rowSum(classes) { load(p + $0, $1) * load(logQ + $0, $1) }
              forEachLanes(classes) { store(load(p + $0, $1) * (load(logQ + $0, $1) - mean) * -scale, dBlend + $0, $1) }
            }
          }
        }
      @inline(always)
      func pull(_ p: Lanes, _ logQ: Lanes) -> Lanes { (Transcendental.expOfNegative(logQ) - p) * scale }
      let direct = zNeeds ? p.mapLanes(logQ, pull) : nil
      let dz = direct.map { direct in
        throughBlend.map { direct.adding($0.scaled(by: 1 - teacherShare)) } ?? direct
      }
      return [dz, teacherNeeds ? throughBlend?.scaled(by: teacherShare) : nil]
    }
  }
}
