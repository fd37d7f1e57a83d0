/// A linear map of every row.
///
///     y = x Wᵀ + b,   y[r, o] = Σ_i x[r, i] W[o, i] + b[o]
///
/// - x: [rows, in]; weight W: [out, in]; bias b: [1, out] or none; y: [rows, out].
public func linear(_ x: Matrix, weight: Matrix, bias: Matrix? = nil) -> Matrix {
  require(x.columns == weight.columns, "linear: expected rows of \(weight.columns), found \(x.columns)")
  var y = Matrix(x.rows, weight.rows)
  for r in 0..<x.rows {
    for o in 0..<weight.rows {
      var sum = bias.map { $0[0, o] } ?? 0
      for i in 0..<weight.columns { sum += x[r, i] * weight[o, i] }
      y[r, o] = sum
    }
  }
  return y
}

/// The gradients of a linear map.
///
///     ∂x = ∂y W,   ∂W = ∂yᵀ x,   ∂b = Σ_rows ∂y
///
/// Derivation: y[r, o] depends on x[r, i] with slope W[o, i] and on W[o, i] with slope x[r, i], so that
/// ∂x[r, i] = Σ_o ∂y[r, o] W[o, i] and ∂W[o, i] = Σ_r ∂y[r, o] x[r, i].
///
/// - dy: [rows, out]; x: [rows, in]; weight: [out, in]; results: of the shapes of x, W and b.
public func linearBackward(_ dy: Matrix, x: Matrix, weight: Matrix) -> (x: Matrix, weight: Matrix, bias: Matrix) {
  var dx = Matrix(x.rows, x.columns)
  var dWeight = Matrix(weight.rows, weight.columns)
  var dBias = Matrix(1, weight.rows)
  for r in 0..<dy.rows {
    for o in 0..<dy.columns {
      dBias[0, o] += dy[r, o]
      for i in 0..<x.columns {
        dx[r, i] += dy[r, o] * weight[o, i]
        dWeight[o, i] += dy[r, o] * x[r, i]
      }
    }
  }
  return (dx, dWeight, dBias)
}
