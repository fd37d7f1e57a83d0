extension Variable {
  /// The tanh approximation of GELU (Hendrycks and Gimpel 2016, section 2).
  ///
  ///     y = ½ x (1 + t),   t = tanh u,   u = √(2/π) (x + 0.044715 x³)
  ///     ∂x = ∂y (½ (1 + t) + ½ x (1 − t²) √(2/π) (1 + 3 · 0.044715 x²))
  ///
  /// Product rule with dt/du = 1 − t² and du/dx = √(2/π) (1 + 3 · 0.044715 x²). √(2/π) gives ½ (1 + t) the slope of Φ
  /// at 0; matching its cubic term as well would take 2/(3π) − 1/6 = 0.0455, and 0.044715 is the published value.
  ///
  /// - Any shape. Keeps x.
  public func geluTanh() -> Variable {
    let x = value
    return Tape.record(.geluTanh, x.mapLanes(GELUTanh.self), from: [self]) { dy in
      [dy.mapLanes(x, GELUTanhGradient.self)]
    }
  }
}

private let rootTwoOverPi: Real = 0.797884560802865355879892119868764
private let cubicCoefficient: Real = 0.044715

enum GELUTanh: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes { 0.5 * x * (1 + Transcendental.tanh(geluTanhArgument(x))) }
}

private enum GELUTanhGradient: LaneFunction2 {
  @inline(__always) static func value(_ dy: Lanes, _ x: Lanes) -> Lanes {
    let t = Transcendental.tanh(geluTanhArgument(x))
    let slope = rootTwoOverPi * (1 + 3 * cubicCoefficient * x * x)
    let ofTanh = 0.5 * x * (1 - t * t) * slope
    return dy * (0.5 * (1 + t) + ofTanh)
  }
}

@inline(__always)
private func geluTanhArgument(_ x: Lanes) -> Lanes { rootTwoOverPi * (x + cubicCoefficient * x * x * x) }
