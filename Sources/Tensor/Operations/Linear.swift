extension Variable {
  /// A linear map of the last dimension.
  ///
  ///     y = x Wᵀ + b
  ///
  /// Backward:
  ///
  ///     ∂x = ∂y W,   ∂W = ∂yᵀ x,   ∂b = Σ_rows ∂y
  ///
  /// - x: [..., in]; W: [out, in]; b: [out] or none; y: [..., out].
  /// - Keeps W where x needs a gradient, and x where W does.
  public func linear(_ weight: Variable, bias: Variable? = nil) -> Variable {
    let (out, width) = (weight.shape[0], weight.shape[1])
    precondition(
      weight.shape.rank == 2 && shape.rank >= 1 && shape.width == width,
      "linear: expected x [..., \(width)] for weight \(weight.shape), found \(shape)")
    precondition(
      bias == nil || bias?.shape == [out], "linear: expected bias [\(out)], found \(String(describing: bias?.shape))")
    let (rows, inputShape) = (shape.rows, shape)
    let y = Tensor.read(value, weight.value) { x, w in
      Tensor(shape.replacingWidth(by: out)) { y in
        if let bias {
          Tensor.read(bias.value) { b in for row in 0..<rows { (y + row * out).update(from: b, count: out) } }
        }
        gemm(
          rows, out, width, MatrixView(x, rowStride: width), MatrixView(w, rowStride: width).transposed, into: y,
          cStride: out, accumulating: bias != nil)
      }
    }
    let keptWeight = needsGradient ? weight.value : nil
    let keptInput = weight.needsGradient ? value : nil
    let biasNeedsGradient = bias?.needsGradient ?? false
    return Tape.record(.linear, y, from: [self, weight] + (bias.map { [$0] } ?? [])) { dy in
      let dx = keptWeight.map { weight in
        Tensor.read(dy, weight) { dy, w in
          Tensor(inputShape) { dx in
            gemm(
              rows, width, out, MatrixView(dy, rowStride: out), MatrixView(w, rowStride: width), into: dx,
              cStride: width)
          }
        }
      }
      let dw = keptInput.map { input in
        Tensor.read(dy, input) { dy, x in
          Tensor([out, width]) { dw in
            gemm(
              out, width, rows, MatrixView(dy, rowStride: out).transposed, MatrixView(x, rowStride: width), into: dw,
              cStride: width)
          }
        }
      }
      let db =
        biasNeedsGradient
        ? Tensor.read(dy) { dy in
          sumOverRows(rows, width: out) { row, column, present in load(dy + (row &* out &+ column), present) }
        } : nil
      return [dx, dw, db]
    }
  }
}
