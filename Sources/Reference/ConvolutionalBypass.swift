/// A bottleneck with a convolution over the patches, what it adds to a branch (Convpass (b), (c); Jie & Deng 2022).
///
///     y = U φ(C ∗ φ(D h + a) + c) + b,   φ(x) = x σ(1.702 x)
///
/// C ∗ x sums over the nine places around a patch, those outside of the square left out; a token before the patches
/// has its own place alone.
public struct ConvolutionalBypass {
  /// D: [rank, width], a: [1, rank], c: [1, rank], U: [width, rank], b: [1, width].
  public let down, downBias, kernelBias, up, upBias: Matrix
  /// C, a matrix [rank, rank] for each of the nine places, row by row.
  public let kernel: [Matrix]
  /// The tokens of a sample before its patches, and the patches along one side.
  public let prefix, side: Int

  /// A bypass by its parts.
  public init(
    down: Matrix, downBias: Matrix, kernel: [Matrix], kernelBias: Matrix, up: Matrix, upBias: Matrix, prefix: Int,
    side: Int
  ) {
    require(kernel.count == 9, "ConvolutionalBypass: expected nine places, found \(kernel.count)")
    (self.down, self.downBias, self.kernel, self.kernelBias) = (down, downBias, kernel, kernelBias)
    (self.up, self.upBias, self.prefix, self.side) = (up, upBias, prefix, side)
  }

  /// y: [samples · tokens, width], as h.
  public func callAsFunction(_ h: Matrix) -> Matrix {
    let bottleneck = quickGELU(linear(h, weight: down, bias: downBias))
    return linear(quickGELU(convolved(bottleneck)), weight: up, bias: upBias)
  }

  /// ∂h and the gradients of all parts, dy that of y.
  public func backward(_ dy: Matrix, h: Matrix) -> (h: Matrix, parts: ConvolutionalBypass) {
    let narrow = linear(h, weight: down, bias: downBias)
    let (x, y) = (quickGELU(narrow), convolved(quickGELU(narrow)))
    let last = linearBackward(dy, x: quickGELU(y), weight: up)
    let dConvolved = quickGELUBackward(last.x, x: y)
    var (dx, dKernel) = (Matrix(x.rows, x.columns), kernel.map { Matrix($0.rows, $0.columns) })
    var dKernelBias = Matrix(1, kernelBias.count)
    forEachPair(rows: x.rows) { row, other, place in
      for out in 0..<dConvolved.columns {
        for into in 0..<x.columns {
          dx[other, into] += kernel[place][out, into] * dConvolved[row, out]
          dKernel[place][out, into] += x[other, into] * dConvolved[row, out]
        }
      }
    }
    for row in 0..<y.rows { for out in 0..<y.columns { dKernelBias[0, out] += dConvolved[row, out] } }
    let first = linearBackward(quickGELUBackward(dx, x: narrow), x: h, weight: down)
    return (
      first.x,
      ConvolutionalBypass(
        down: first.weight, downBias: first.bias, kernel: dKernel, kernelBias: dKernelBias, up: last.weight,
        upBias: last.bias, prefix: prefix, side: side)
    )
  }

  /// C ∗ x + c (Convpass (c))
  private func convolved(_ x: Matrix) -> Matrix {
    var y = Matrix(x.rows, x.columns, (0..<x.count).map { kernelBias[0, $0 % x.columns] })
    forEachPair(rows: x.rows) { row, other, place in
      for out in 0..<y.columns {
        for into in 0..<x.columns { y[row, out] += kernel[place][out, into] * x[other, into] }
      }
    }
    return y
  }

  /// Every row of a stack of sequences with every row that it sees, and the place of that in the kernel.
  private func forEachPair(rows: Int, _ body: (_ row: Int, _ other: Int, _ place: Int) -> Void) {
    let tokens = prefix + side * side
    for row in 0..<rows {
      let (first, patch) = (row / tokens * tokens + prefix, row % tokens - prefix)
      guard patch >= 0 else {
        body(row, row, 4)
        continue
      }
      for place in 0..<9 {
        let (y, x) = (patch / side + place / 3 - 1, patch % side + place % 3 - 1)
        if 0..<side ~= y, 0..<side ~= x { body(row, first + y * side + x, place) }
      }
    }
  }
}
