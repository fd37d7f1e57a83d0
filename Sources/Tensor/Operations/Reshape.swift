extension Variable {
  /// The same elements in another shape.
  ///
  ///     ∂x = ∂y in the shape of x
  ///
  /// - x, y: equal counts. Keeps nothing and copies nothing.
  public func reshaped(to newShape: Shape) -> Variable {
    let oldShape = shape
    return Tape.record(.reshape, value.reshaped(to: newShape), from: [self]) { dy in [dy.reshaped(to: oldShape)] }
  }
}
