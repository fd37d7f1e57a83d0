extension Variable {
  /// Every row divided by its Euclidean norm; with the scale α of the residual, the gradient of TaskRes (g).
  ///
  ///     y = x / ‖x‖,   ∂x = (∂y − y ⟨y, ∂y⟩) / ‖x‖
  ///
  /// From ∂‖x‖/∂x_j = y_j: ∂y_i/∂x_j = (1[i = j] − y_i y_j) / ‖x‖. A norm below 1e-12 counts as 1e-12, the bound of
  /// PyTorch's `normalize`, so that a zero row stays zero; the divisor is then constant, and ∂x = ∂y / 1e-12.
  ///
  /// - x, y: [..., width].
  /// - Keeps y and ‖x‖, [rows].
  public func l2Normalized() -> Variable {
    let (rows, width) = (shape.rows, shape.width)
    var norms = Tensor.zeros([rows])
    let y = Tensor.read(value) { x in
      norms.write { norms in
        Tensor(shape) { y in
          forEachRow(rows, width: width) { row in
            let (x, y) = (x + row &* width, y + row &* width)
            let norm = rowDot(x, x, width).squareRoot()
            norms[row] = max(norm, smallestNorm)
            let divisor = norms[row]
            forEachLanes(width) { store(load(x + $0, $1) / divisor, y + $0, $1) }
          }
        }
      }
    }
    let kept = norms
    return Tape.record(.l2Normalize, y, from: [self]) { dy in
      let dx = Tensor.read(dy, y, kept) { dy, unit, norms in
        Tensor(y.shape) { dx in
          forEachRow(rows, width: width) { row in
            let (dy, unit, dx, norm) = (dy + row &* width, unit + row &* width, dx + row &* width, norms[row])
            let along = norm == smallestNorm ? 0 : rowDot(dy, unit, width)
            forEachLanes(width) { store((load(dy + $0, $1) - load(unit + $0, $1) * along) / norm, dx + $0, $1) }
          }
        }
      }
      return [dx]
    }
  }
}

private let smallestNorm: Real = 1e-12
