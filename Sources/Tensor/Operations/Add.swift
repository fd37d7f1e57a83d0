extension Variable {
  /// A weighted sum; the second term is repeated over leading dimensions that it does not have.
  ///
  ///     y = a + s b,   ∂a = ∂y,   ∂b = s Σ_repetitions ∂y
  ///
  /// - a (self), y: [..., suffix]; b: [suffix]. Residual connections have equal shapes; a positional embedding
  ///   [tokens, width] is repeated over the batch.
  /// - Keeps nothing.
  public func adding(_ other: Variable, scale: Real = 1) -> Variable {
    require(
      Array(shape.extents.suffix(other.shape.rank)) == other.shape.extents,
      "adding: expected a term of shape \(shape) or a suffix of it, found \(other.shape)")
    let (termShape, needs) = (other.shape, other.needsGradient)
    let inner = termShape.count
    let repetitions = inner == 0 ? 0 : shape.count / inner
    let y = Tensor.read(value, other.value) { a, b in
      Tensor(shape) { y in
        forEachRow(repetitions, width: inner) { row in
          let (a, y) = (a + row &* inner, y + row &* inner)
          forEachLanes(inner) { store(load(a + $0, $1).fma(load(b + $0, $1), Lanes(repeating: scale)), y + $0, $1) }
        }
      }
    }
    return Tape.record(.add, y, from: [self, other]) { dy in
      guard needs else { return [dy, nil] }
      if repetitions == 1 { return [dy, (scale == 1 ? dy : dy.scaled(by: scale)).reshaped(to: termShape)] }
      let sum = Tensor.read(dy) { dy in
        sumOverRows(repetitions, width: inner) { row, column, present in load(dy + (row &* inner &+ column), present) }
      }
      return [dy, (scale == 1 ? sum : sum.scaled(by: scale)).reshaped(to: termShape)]
    }
  }
}
