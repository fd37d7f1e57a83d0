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

  /// x Wᵀ + b, with W ⊙ B for a mask, or W + scatter(d) for shifts, instead of W
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

  /// ∂y W for each ∂y, with W ⊙ B for a mask, or W + scatter(d) for shifts, instead of W
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
