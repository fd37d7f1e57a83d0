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

  /// The tanh approximation of GELU (Hendrycks and Gimpel 2016, section 2).
  ///
  ///     y = ½ x (1 + t),   t = tanh u,   u = √(2/π) (x + 0.044715 x³)
  ///     ∂x = ∂y (½ (1 + t) + ½ x (1 − t²) √(2/π) (1 + 3 · 0.044715 x²))
  ///
  /// - Any shape. Keeps x.
  public func geluTanh() -> Variable {
    let x = value
    return Tape.record(.geluTanh, x.mapLanes(GELUTanh.self), from: [self]) { dy in
      [dy.mapLanes(x, GELUTanhGradient.self)]
    }
  }
}

private let rootHalf: Real = 0.707106781186547524400844362104849
private let reciprocalRootTwoPi: Real = 0.398942280401432677939946059934382
private let rootTwoOverPi: Real = 0.797884560802865355879892119868764
private let cubicCoefficient: Real = 0.044715

enum GELU: LaneFunction {
  @inline(always) static func value(_ x: Lanes) -> Lanes { x * normalDistribution(x) }
}

private enum GELUGradient: LaneFunction2 {
  @inline(always) static func value(_ dy: Lanes, _ x: Lanes) -> Lanes {
    let density = Transcendental.expOfNegative(x * x * -0.5) * reciprocalRootTwoPi
    return dy * normalDistribution(x).fma(x, density)
  }
}

enum GELUTanh: LaneFunction {
  @inline(always) static func value(_ x: Lanes) -> Lanes { 0.5 * x * (1 + Transcendental.tanh(geluTanhArgument(x))) }
}

private enum GELUTanhGradient: LaneFunction2 {
  @inline(always) static func value(_ dy: Lanes, _ x: Lanes) -> Lanes {
    let t = Transcendental.tanh(geluTanhArgument(x))
    let slope = rootTwoOverPi * (1 + 3 * cubicCoefficient * x * x)
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)
  }
}

/// Φ(x), the standard normal distribution function.
@inline(always)
private func normalDistribution(_ x: Lanes) -> Lanes { 0.5 * (1 + Transcendental.erf(x * rootHalf)) }

@inline(always)
private func geluTanhArgument(_ x: Lanes) -> Lanes { rootTwoOverPi * (x + cubicCoefficient * x * x * x) }
