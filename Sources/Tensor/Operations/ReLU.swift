extension Variable {
  /// The rectified linear unit.
  ///
  ///     y = max(x, 0),   ∂x = ∂y where x > 0, else 0
  ///
  /// - Any shape. Keeps x. At x = 0 the gradient is 0, as in PyTorch.
  public func relu() -> Variable {
    let x = value
    return Tape.record(.relu, x.mapLanes { $0.replacing(with: 0, where: $0 .<= 0) }, from: [self]) { dy in
      [dy.mapLanes(x) { dy, x in dy.replacing(with: 0, where: x .<= 0) }]
    }
  }
}
