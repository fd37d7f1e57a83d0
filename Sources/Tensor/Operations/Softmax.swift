extension Variable {
  /// Softmax over the last dimension.
  ///
  ///     y_j = exp(x_j − m) / Σ_k exp(x_k − m),   m = max_k x_k
  ///
  /// Subtracting m changes nothing in exact arithmetic and keeps every exponent at most 0. Backward:
  ///
  ///     ∂x = y (∂y − Σ_k ∂y_k y_k)
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
            let mean = rowSum(width) { load(dy + $0, $1) * load(p + $0, $1) }
            forEachLanes(width) { store(load(p + $0, $1) * (load(dy + $0, $1) - mean), dx + $0, $1) }
          }
        }
      }
      return [dx]
    }
  }

  /// The logarithm of softmax over the last dimension.
  ///
  ///     y_j = x_j − ℓ,   ℓ = m + log Σ_k exp(x_k − m)
  ///     ∂x = ∂y − exp(y) Σ_k ∂y_k
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
            @inline(always)
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

/// The largest of a row; −∞ for an empty one.
@inline(__always)
func rowMaximum(_ x: UnsafePointer<Real>, _ width: Int) -> Real {
  var largest = Lanes(repeating: -.infinity)
  forEachLanes(width) { index, present in
    largest = largest.larger(
      present == 16 ? Lanes(loading: x + index) : Lanes(loading: x + index, count: present, padding: -.infinity))
  }
  return largest.largest
}

/// exp(x − m) for a row and its maximum m, written to `y`; returns m and the sum of what was written.
@inline(__always)
func shiftedExponentials(
  _ x: UnsafePointer<Real>, _ width: Int, into y: UnsafeMutablePointer<Real>
) -> (maximum: Real, sum: Real) {
  let maximum = rowMaximum(x, width)
  @inline(always)
  func power(_ index: Int, _ present: Int) -> Lanes {
    let power = Transcendental.expOfNegative(load(x + index, present) - maximum)
    store(power, y + index, present)
    return present == 16 ? power : power.keeping(first: present)
  }
  return (maximum, rowSum(width, power))
}

/// log Σ exp(x) of a row, by its maximum: m + log Σ exp(x − m).
@inline(__always)
func logSumExp(_ x: UnsafePointer<Real>, _ width: Int) -> Real {
  let maximum = rowMaximum(x, width)
  @inline(always)
  func power(_ index: Int, _ present: Int) -> Lanes {
    let power = Transcendental.expOfNegative(load(x + index, present) - maximum)
    return present == 16 ? power : power.keeping(first: present)
  }
  return maximum + Transcendental.log(rowSum(width, power))
}
