extension Variable {
  /// A tensor times the exponential of a scalar: the logit scale of CLIP (Radford et al. 2021, section 2.5).
  ///
  ///     y = exp(s) x,   ∂x = exp(s) ∂y,   ∂s = Σ ∂y y
  ///
  /// - x (self), y: any shape; s: scalar. Keeps y where s needs a gradient.
  public func scaled(byExponentialOf exponent: Variable) -> Variable {
    let factor = Transcendental.exp(exponent.value.scalar)
    let (y, exponentShape) = (value.scaled(by: factor), exponent.shape)
    let (xNeeds, kept) = (needsGradient, exponent.needsGradient ? y : nil)
    return Tape.record(.scaleByExponential, y, from: [self, exponent]) { dy in
      let ds = kept.map { y in
        let total = Tensor.read(dy, y) { dy, scaled in longDot(dy, scaled, y.count) }
        return Tensor(exponentShape, repeating: Real(total))
      }
      return [xNeeds ? dy.scaled(by: factor) : nil, ds]
    }
  }
}
