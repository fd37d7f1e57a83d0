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
  /// - packed: where the packed form of W is kept from one call to the next; used where nothing needs a gradient and x
  ///   has few rows.
  /// - Keeps W where x needs a gradient, and x where W does.
  public func linear(_ weight: Variable, bias: Variable? = nil, packed: PackedWeight? = nil) -> Variable {
    let products = LinearProducts(shape, weight.shape, bias?.shape)
    let isInference = !needsGradient && !weight.needsGradient
    let y = products.output(value, weight.value, packed: isInference ? packed : nil, bias: bias?.value)
    let keptWeight = needsGradient ? weight.value : nil
    let keptInput = weight.needsGradient ? value : nil
    let biasNeedsGradient = bias?.needsGradient ?? false
    return Tape.record(
      .linear, y, from: [self, weight] + (bias.map { [$0] } ?? []),
      sharedBackward: { dys in
        let dx = keptWeight.map { products.inputGradients(dys, $0) }
        let dw = keptInput.map { products.weightGradients(dys, $0) }
        return dys.indices.map { index in
          [dx?[index], dw?[index], biasNeedsGradient ? products.biasGradient(dys[index]) : nil]
        }
      })
  }

  /// A linear map and an activation, f(x Wᵀ + b): the bits of one after the other.
  ///
  /// Where nothing needs a gradient the activation is applied while the outputs are in the first-level cache; otherwise its
  /// backward pass asks for its input, and both are calculated one after the other.
  public func linear(
    _ weight: Variable, bias: Variable? = nil, packed: PackedWeight? = nil, then activation: Activation
  ) -> Variable {
    guard !needsGradient, !weight.needsGradient, !(bias?.needsGradient ?? false) else {
      return activation(linear(weight, bias: bias, packed: packed))
    }
    let products = LinearProducts(shape, weight.shape, bias?.shape)
    return Variable(
      products.output(
        value, weight.value, packed: packed, bias: bias?.value, finish: { activation.map($0, into: $0, count: $1) }))
  }

  /// A linear map under a binary mask that is learned through a real one (R-AMT, spec section 3; straight-through
  /// estimator of Bengio et al. 2013).
  ///
  ///     y = x (W ⊙ B)ᵀ + b,   B = 1[M > α]
  ///
  /// Backward:
  ///
  ///     ∂x = ∂y (W ⊙ B),   ∂W = (∂yᵀ x) ⊙ B,   ∂M = (∂yᵀ x) ⊙ W,   ∂b = Σ_rows ∂y
  ///
  /// It is `x.linear(weight.masked(by: mask))`, to the bit, but W ⊙ B is never in memory: B, a bit a
  /// weight, is applied while W is packed for the product.
  ///
  /// - x: [..., in]; W, M: [out, in]; b: [out] or none; y: [..., out].
  /// - Keeps B where x or W needs a gradient, W where x or M does, and x where W or M does.
  public func linear(_ weight: Variable, maskedBy mask: ThresholdedMask, bias: Variable? = nil) -> Variable {
    require(
      weight.shape == mask.shape, "linear: expected a mask of shape \(weight.shape), found \(mask.shape)")
    let products = LinearProducts(shape, weight.shape, bias?.shape)
    let bits = mask.bits
    let y = products.output(value, weight.value, mask: bits, bias: bias?.value)
    let (xNeeds, weightNeeds, maskNeeds) = (needsGradient, weight.needsGradient, mask.real.needsGradient)
    let keptInput = weightNeeds || maskNeeds ? value : nil
    let keptWeight = xNeeds || maskNeeds ? weight.value : nil
    let biasNeedsGradient = bias?.needsGradient ?? false
    return Tape.record(
      .maskedLinear, y, from: [self, weight, mask.real] + (bias.map { [$0] } ?? []),
      sharedBackward: { dys in
        let dx = xNeeds ? keptWeight.map { products.inputGradients(dys, $0, mask: bits) } : nil
        let dwMasked = keptInput.map { products.weightGradients(dys, $0) }
        return dys.indices.map { index in
          [
            dx?[index], weightNeeds ? dwMasked.map { bits.applied(to: $0[index]) } : nil,
            maskNeeds ? keptWeight.flatMap { weight in dwMasked.map { $0[index].mapLanes(weight) { $0 * $1 } } } : nil,
            biasNeedsGradient ? products.biasGradient(dys[index]) : nil,
          ]
        }
      })
  }
}

/// The products of a linear map; those of several losses share what they pack.
struct LinearProducts {
  let inputShape: Shape
  let rows, width, out: Int

  init(_ x: Shape, _ weight: Shape, _ bias: Shape?) {
    require(
      weight.rank == 2 && x.rank >= 1 && x.width == weight[1],
      "linear: expected x [..., \(weight.width)] for weight \(weight), found \(x)")
    require(
      bias == nil || bias == [weight[0]], "linear: expected bias [\(weight[0])], found \(bias?.description ?? "none")")
    (inputShape, rows, width, out) = (x, x.rows, weight[1], weight[0])
  }

  /// x Wᵀ + b, with W ⊙ B for a mask, or W + scatter(d) for shifts, in the place of W
  func output(
    _ x: Tensor, _ weight: Tensor, mask: BitMask? = nil, shift: (SparseIndices, Tensor)? = nil,
    packed: PackedWeight? = nil, bias: Tensor?,
    finish: ((UnsafeMutablePointer<Real>, _ count: Int) -> Void)? = nil
  ) -> Tensor {
    let packed = rows <= PackedWeight.mostRows ? packed?.transpose(of: weight) : nil
    return Tensor.read(x, weight) { x, weight in
      Tensor(inputShape.replacingWidth(by: out)) { y in
        func multiply(_ bias: UnsafePointer<Real>?) {
          let finish = finish.map { finish in
            { (rows: Range<Int>, columns: Range<Int>) in
              for row in rows { finish(y + (row * out + columns.lowerBound), columns.count) }
            }
          }
          func multiply(_ factor: Product.RightFactor) {
            gemm(
              rows, out, width, MatrixView(x, rowStride: width), factor, into: y, cStride: out, bias: bias,
              finish: finish)
          }
          if let packed {
            multiply(.packed(packed))
          } else {
            withView(weight, mask, shift) { multiply(.view($0.transposed)) }
          }
        }
        if let bias { Tensor.read(bias, multiply) } else { multiply(nil) }
      }
    }
  }

  /// ∂y W for each ∂y, with W ⊙ B for a mask, or W + scatter(d) for shifts, in the place of W
  func inputGradients(
    _ dys: [Tensor], _ weight: Tensor, mask: BitMask? = nil, shift: (SparseIndices, Tensor)? = nil
  ) -> [Tensor] {
    Tensor.read(weight) { weight in
      var gradients: [Tensor] = []
      withView(weight, mask, shift) { w in
        let packed = PackedMatrix(w, depth: out, columns: width)
        gradients = dys.map { dy in
          Tensor.read(dy) { dy in
            Tensor(inputShape) { gemm(rows, MatrixView(dy, rowStride: out), packed, into: $0, cStride: width) }
          }
        }
      }
      return gradients
    }
  }

  /// ∂yᵀ x for each ∂y
  func weightGradients(_ dys: [Tensor], _ x: Tensor) -> [Tensor] {
    Tensor.read(x) { x in
      let packed = PackedMatrix(MatrixView(x, rowStride: width), depth: rows, columns: width)
      return dys.map { dy in
        Tensor.read(dy) { dy in
          Tensor([out, width]) {
            gemm(out, MatrixView(dy, rowStride: out).transposed, packed, into: $0, cStride: width)
          }
        }
      }
    }
  }

  /// Σ_rows ∂y
  func biasGradient(_ dy: Tensor) -> Tensor {
    Tensor.read(dy) { dy in
      sumOverRows(rows, width: out) { row, column, present in load(dy + (row &* out &+ column), present) }
    }
  }

  /// Calls `body` with W, [out, in], W ⊙ B or W + scatter(d).
  private func withView(
    _ weight: UnsafePointer<Real>, _ mask: BitMask?, _ shift: (SparseIndices, Tensor)?, _ body: (MatrixView) -> Void
  ) {
    let view = MatrixView(weight, rowStride: width)
    if let (indices, shifts) = shift {
      return SparseShift.with(indices, shifts) { shift in body(shift.map { view.shifted(by: $0) } ?? view) }
    }
    guard let mask, mask.count > 0 else { return body(view) }
    mask.withReadOnlyView { body(view.masked(by: $0)) }
  }
}
