extension Variable {
  /// Softmax over the last dimension.
  ///
  ///     y_j = exp(x_j − m) / Σ_k exp(x_k − m),   m = max_k x_k
  ///
  /// The factor exp(−m) of numerator and denominator cancels, so subtracting m changes nothing in exact arithmetic.
  /// Without it a `Float` overflows from x = 88.8 on. With it every exponent is at most 0 and the largest term is
  /// exactly 1: the sum lies between 1 and the number of classes, and what underflows is below 2⁻¹²⁶ of that term.
  ///
  /// Backward, from ∂y_j/∂x_k = y_j (1[j = k] − y_k):
  ///
  ///     ∂x_k = Σ_j ∂y_j y_j (1[j = k] − y_k) = y_k (∂y_k − Σ_j ∂y_j y_j)
  ///
  /// - x, y: [..., classes]. Keeps y.
  public func softmax() -> Variable {
    let (rows, width) = (shape.rows, shape.width)
    let y = Tensor.read(value) { x in
      Tensor(shape) { y in
        forEachRow(rows, width: width) { row in
          let y = y + row &* width
          let scale = 1 / shiftedExponentials(x + row &* width, width, into: y).sum
          forEachLanes(width) { store(load(y + $0, $1) * scale, y + $0, $1) }
        }
      }
    }
    return Tape.record(.softmax, y, from: [self]) { dy in
      let dx = Tensor.read(dy, y) { dy, p in
        Tensor(y.shape) { dx in
          forEachRow(rows, width: width) { row in
            let (dy, p, dx) = (dy + row &* width, p + row &* width, dx + row &* width)
            let mean = rowDot(dy, p, width)
            forEachLanes(width) { store(load(p + $0, $1) * (load(dy + $0, $1) - mean), dx + $0, $1) }
          }
        }
      }
      return [dx]
    }
  }
}
