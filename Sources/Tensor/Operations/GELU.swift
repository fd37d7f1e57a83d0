extension Variable {
  /// The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact form.
  ///
  ///     y = x Φ(x),   Φ(x) = ½ (1 + erf(x / √2))
  ///     ∂x = ∂y (Φ(x) + x φ(x)),   φ(x) = exp(−x² / 2) / √(2π)
  ///
  /// With n = −|x|, from Φ(−n) = 1 − Φ(n) and φ(−n) = φ(n):
  ///
  ///     y = max(x, 0) + n Φ(n),   ∂x = ∂y s for x ≤ 0 and ∂y (1 − s) above,   s = Φ(n) + n φ(n)
  ///
  /// - Any shape. Keeps x.
  public func gelu() -> Variable {
    let x = value
    return Tape.record(.gelu, x.mapLanes(GELU.self), from: [self]) { dy in [dy.mapLanes(x, GELUGradient.self)] }
  }
}

enum GELU: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes {
    let normal = LowerNormal(x)
    return x.replacing(with: -0.0, where: x .< 0).fma(normal.n, normal.distribution)
  }
}

private enum GELUGradient: LaneFunction2 {
  @inline(__always) static func value(_ dy: Lanes, _ x: Lanes) -> Lanes {
    let normal = LowerNormal(x)
    let slope = normal.distribution.fma(normal.n, normal.density)
    return dy * slope.replacing(with: 1 - slope, where: x .> 0)
  }
}
