extension Variable {
  /// The exponential of every element: distances become affinities (Zhang et al. 2022, Tip-Adapter, equation 5).
  ///
  ///     y = exp(x),   ∂x = ∂y y
  ///
  /// - Any shape. Keeps y.
  public func exponential() -> Variable {
    let y = value.mapLanes { Transcendental.exp($0) }
    return Tape.record(.elementwiseExponential, y, from: [self]) { dy in [dy.mapLanes(y) { $0 * $1 }] }
  }
}
