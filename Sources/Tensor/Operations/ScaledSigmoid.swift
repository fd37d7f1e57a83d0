extension Variable {
  /// A sigmoid between 0 and a, which bounds the position biases of Swin V2 (Liu et al. 2022, released code: a = 16).
  ///
  ///     y = a σ(x),   ∂x = ∂y y (1 − y / a)
  ///
  /// - Any shape; a is a constant. Keeps y.
  public func scaledSigmoid(_ scale: Real) -> Variable {
    let y = value.mapLanes { Transcendental.sigmoid($0) * scale }
    return Tape.record(.scaledSigmoid, y, from: [self]) { dy in [dy.mapLanes(y) { $0 * $1 * (1 - $1 / scale) }] }
  }
}
