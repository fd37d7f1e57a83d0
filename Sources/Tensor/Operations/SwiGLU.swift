extension Variable {
  /// A gated linear unit whose gate is a SiLU (Shazeer 2020, eq. 6).
  ///
  ///     y = g s u,   s = σ(g)
  ///     ∂u = ∂y g s,   ∂g = ∂y u (s + g s (1 − s))
  ///
  /// - Gate g (self), u and y have one shape, which may be any. Keeps g and u.
  public func swiglu(_ other: Variable) -> Variable {
    require(shape == other.shape, "swiglu: expected two tensors of one shape, found \(shape) and \(other.shape)")
    let (g, u) = (value, other.value)
    let (gateNeeds, otherNeeds) = (needsGradient, other.needsGradient)
    return Tape.record(.swiglu, g.mapLanes(u, SwiGLU.self), from: [self, other]) { dy in
      [
        gateNeeds ? dy.mapLanes(u) { $0 * $1 }.mapLanes(g, SiLUGradient.self) : nil,
        otherNeeds ? g.mapLanes(dy, SwiGLU.self) : nil,
      ]
    }
  }
}

private enum SwiGLU: LaneFunction2 {
  @inline(__always) static func value(_ g: Lanes, _ u: Lanes) -> Lanes { g * Transcendental.sigmoid(g) * u }
}

private enum SiLUGradient: LaneFunction2 {
  @inline(__always) static func value(_ dy: Lanes, _ g: Lanes) -> Lanes {
    let s = Transcendental.sigmoid(g)
    return dy * s * (1 + g * (1 - s))
  }
}
