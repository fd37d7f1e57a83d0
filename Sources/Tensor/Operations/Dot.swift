extension Variable {
  /// The inner product of two tensors of one shape.
  ///
  ///     y = Σ_i a_i b_i,   ∂a = ∂y b,   ∂b = ∂y a
  ///
  /// - a (self), b: any one shape; result: scalar. Keeps b where a needs a gradient, and a where b does.
  public func dot(_ other: Variable) -> Variable {
    require(shape == other.shape, "dot: expected shape \(shape), found \(other.shape)")
    let total = Tensor.read(value, other.value) { a, b in longDot(a, b, shape.count) }
    let (a, b) = (other.needsGradient ? value : nil, needsGradient ? other.value : nil)
    return Tape.record(.dot, Tensor(Real(total)), from: [self, other]) { dy in
      [b?.scaled(by: dy.scalar), a?.scaled(by: dy.scalar)]
    }
  }
}
