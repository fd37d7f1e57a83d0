extension Variable {
  /// The logarithm of softmax over the last dimension.
  ///
  ///     y_j = x_j − ℓ,   ℓ = m + log Σ_k exp(x_k − m)
  ///     ∂x = ∂y − exp(y) Σ_k ∂y_k
  ///
  /// From ∂ℓ/∂x_k = exp(x_k − ℓ) = exp(y_k): ∂y_j/∂x_k = 1[j = k] − exp(y_k); times ∂y_j, summed over j.
  ///
  /// - x, y: [..., classes]. Keeps y.
  public func logSoftmax() -> Variable {
    let (rows, width) = (shape.rows, shape.width)
    let y = Tensor.read(value) { x in
      Tensor(shape) { y in
        forEachRow(rows, width: width) { row in
          let (x, y) = (x + row &* width, y + row &* width)
          let shift = logSumExp(x, width)
          forEachLanes(width) { store(load(x + $0, $1) - shift, y + $0, $1) }
        }
      }
    }
    return Tape.record(.logSoftmax, y, from: [self]) { dy in
      let dx = Tensor.read(dy, y) { dy, logP in
        Tensor(y.shape) { dx in
          forEachRow(rows, width: width) { row in
            let (dy, logP, dx) = (dy + row &* width, logP + row &* width, dx + row &* width)
            let total = rowSum(width) { load(dy + $0, $1) }
            @inline(__always)
            func gradient(_ index: Int, _ present: Int) {
              let p = Transcendental.expOfNegative(load(logP + index, present))
              store(load(dy + index, present) - p * total, dx + index, present)
            }
            forEachLanes(width, gradient)
          }
        }
      }
      return [dx]
    }
  }
}
