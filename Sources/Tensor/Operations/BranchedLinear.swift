extension Variable {
  /// A linear map with a second, narrow one in parallel: that of a low-rank branch (SPT (i); Hu et al. 2022, section
  /// 4.1).
  ///
  ///     y = x Wᵀ + b + h Uᵀ
  ///
  /// Backward:
  ///
  ///     ∂x = ∂y W,   ∂h = ∂y U,   ∂W = ∂yᵀ x,   ∂U = ∂yᵀ h,   ∂b = Σ_rows ∂y
  ///
  /// The second product is added to the first in place: y is written once and in one piece of memory.
  ///
  /// - x: [..., in]; W: [out, in]; h: [..., rank], with the rows of x; U: [out, rank]; b: [out] or none; y: [..., out].
  /// - Keeps W where x needs a gradient, U where h does, x where W does, and h where U does.
  public func linear(
    _ weight: Variable, bias: Variable? = nil, adding hidden: Variable, through up: Variable
  ) -> Variable {
    require(
      up.shape.rank == 2 && up.shape[0] == weight.shape[0] && hidden.shape == shape.replacingWidth(by: up.shape[1]),
      "linear: expected up [\(weight.shape[0]), rank] and hidden [..., rank], found \(up.shape) and \(hidden.shape)")
    let wide = LinearProducts(shape, weight.shape, bias?.shape)
    let narrow = LinearProducts(hidden.shape, up.shape, nil)
    var y = wide.output(value, weight.value, bias: bias?.value)
    narrow.addOutput(hidden.value, up.value, to: &y)
    let keptWeight = needsGradient ? weight.value : nil
    let keptInput = weight.needsGradient ? value : nil
    let keptUp = hidden.needsGradient ? up.value : nil
    let keptHidden = up.needsGradient ? hidden.value : nil
    let biasNeedsGradient = bias?.needsGradient ?? false
    return Tape.record(
      .branchedLinear, y, from: [self, weight, hidden, up] + (bias.map { [$0] } ?? []),
      sharedBackward: { dys in
        let dx = keptWeight.map { wide.inputGradients(dys, $0) }
        let dw = keptInput.map { wide.weightGradients(dys, $0) }
        let dHidden = keptUp.map { narrow.inputGradients(dys, $0) }
        let dUp = keptHidden.map { narrow.weightGradients(dys, $0) }
        return dys.indices.map { index in
          [
            dx?[index], dw?[index], dHidden?[index], dUp?[index],
            biasNeedsGradient ? wide.biasGradient(dys[index]) : nil,
          ]
        }
      })
  }
}

extension LinearProducts {
  /// y += x Wᵀ
  func addOutput(_ x: Tensor, _ weight: Tensor, to y: inout Tensor) {
    y.write { y in
      Tensor.read(x, weight) { x, weight in
        gemm(
          rows, out, width, MatrixView(x, rowStride: width), MatrixView(weight, rowStride: width).transposed, into: y,
          cStride: out, accumulating: true)
      }
    }
  }
}
