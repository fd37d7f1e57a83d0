extension Variable {
  /// CLIP's activation, a sigmoid approximation of GELU (Radford et al. 2021, released code).
  ///
  ///     y = x s,   s = σ(1.702 x)
  ///     ∂x = ∂y (s + 1.702 x s (1 − s))
  ///
  /// Product rule with σ' = σ (1 − σ). 1.702 x is the argument that brings σ nearest to Φ(x): within 0.01 for all x.
  ///
  /// - Any shape. Keeps x.
  public func quickGELU() -> Variable {
    let x = value
    return Tape.record(.quickGELU, x.mapLanes(QuickGELU.self), from: [self]) { dy in
      [dy.mapLanes(x, QuickGELUGradient.self)]
    }
  }
}

enum QuickGELU: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes { x * Transcendental.sigmoid(slope * x) }
}

private enum QuickGELUGradient: LaneFunction2 {
  @inline(__always) static func value(_ dy: Lanes, _ x: Lanes) -> Lanes {
    let s = Transcendental.sigmoid(slope * x)
    return dy * s * (1 + slope * x * (1 - s))
  }
}

private let slope: Real = 1.702
