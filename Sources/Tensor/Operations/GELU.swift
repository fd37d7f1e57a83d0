extension Variable {
  /// The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact form.
  ///
  ///     y = x Φ(x),   Φ(x) = ½ (1 + erf(x / √2))
  ///     ∂x = ∂y (Φ(x) + x φ(x)),   φ(x) = exp(−x² / 2) / √(2π)
  ///
  /// - Any shape. Keeps x.
  public func gelu() -> Variable {
    let x = value
    return Tape.record(.gelu, x.mapLanes(GELU.self), from: [self]) { dy in [dy.mapLanes(x, GELUGradient.self)] }
  }
}

private let rootHalf: Real = 0.707106781186547524400844362104849
private let reciprocalRootTwoPi: Real = 0.398942280401432677939946059934382

enum GELU: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes { x * normalDistribution(x) }
}

private enum GELUGradient: LaneFunction2 {
  @inline(__always) static func value(_ dy: Lanes, _ x: Lanes) -> Lanes {
    let density = Transcendental.expOfNegative(x * x * -0.5) * reciprocalRootTwoPi
    return dy * normalDistribution(x).fma(x, density)
  }
}

/// Φ(x), the standard normal distribution function.
@inline(__always)
private func normalDistribution(_ x: Lanes) -> Lanes { 0.5 * (1 + Transcendental.erf(x * rootHalf)) }
