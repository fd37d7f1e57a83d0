/// Dropout (Srivastava et al. 2014): single elements are dropped, the others scaled up so that the mean stays.
///
///     y_i = x_i / (1 − p) where U_i ≥ p, else 0
///
/// The gradient is the same function of ∂y: ∂x = dropout(∂y).
///
/// - x, y: one shape; uniform U: one number per element; probability p: 0 ... 1, of which 0 returns x.
public func dropout(_ x: Matrix, probability: Double, uniform: [Double]) -> Matrix {
  if probability == 0 { return x }
  require(uniform.count == x.count, "dropout: expected \(x.count) uniform numbers, found \(uniform.count)")
  return x.zip(Matrix(x.rows, x.columns, uniform)) { x, u in u >= probability ? x / (1 - probability) : 0 }
}

/// Stochastic depth, or drop path (Huang et al. 2016; SPT (o)): all rows of a sample are dropped, or none.
///
///     y_b = x_b / (1 − p) where U_b ≥ p, else 0
///
/// The gradient is the same function of ∂y: ∂x = dropPath(∂y).
///
/// - x, y: [samples · tokens, width]; uniform U: one number per sample; probability p: 0 ... 1, of which 0 returns x.
public func dropPath(_ x: Matrix, probability: Double, uniform: [Double]) -> Matrix {
  if probability == 0 { return x }
  require(
    !uniform.isEmpty && x.rows % uniform.count == 0, "dropPath: expected samples of equal length, found \(x.rows) rows")
  let tokens = x.rows / uniform.count
  var y = Matrix(x.rows, x.columns)
  for r in 0..<x.rows where uniform[r / tokens] >= probability {
    for c in 0..<x.columns { y[r, c] = x[r, c] / (1 - probability) }
  }
  return y
}
