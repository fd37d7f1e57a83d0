/// Layer normalisation of every row (Ba et al. 2016; 2SFS (a)).
///
///     x̂ = (x − mean x) / √(var x + ε),   y = γ x̂ + β
///
/// - x, y: [rows, width]; scale γ, shift β: [1, width]. `var` divides by width, not width − 1.
public func layerNorm(_ x: Matrix, scale: Matrix, shift: Matrix, epsilon: Double) -> Matrix {
  var y = Matrix(x.rows, x.columns)
  for r in 0..<x.rows {
    let (normalized, _) = normalizedRow(x.row(r), epsilon)
    for c in 0..<x.columns { y[r, c] = scale[0, c] * normalized[c] + shift[0, c] }
  }
  return y
}

/// The gradients of layer normalisation.
///
///     ∂x = (g − mean g − x̂ mean(g x̂)) / √(var x + ε)   with g = γ ∂y
///     ∂γ = Σ_rows ∂y x̂,   ∂β = Σ_rows ∂y
///
/// Derivation of ∂x, with σ = √(var x + ε) and n = width: ∂x̂_i/∂x_j = (1[i = j] − 1/n − x̂_i x̂_j / n) / σ, where −1/n
/// comes from the mean and x̂_i x̂_j / n from ∂σ/∂x_j = x̂_j / n. Multiplied by g_i and summed over i this is ∂x_j.
///
/// - dy, x: [rows, width]; scale: [1, width]; results: of the shapes of x, γ and β.
public func layerNormBackward(
  _ dy: Matrix, x: Matrix, scale: Matrix, epsilon: Double
) -> (x: Matrix, scale: Matrix, shift: Matrix) {
  let width = Double(x.columns)
  var dx = Matrix(x.rows, x.columns)
  var (dScale, dShift) = (Matrix(1, x.columns), Matrix(1, x.columns))
  for r in 0..<x.rows {
    let (normalized, deviation) = normalizedRow(x.row(r), epsilon)
    let g = (0..<x.columns).map { scale[0, $0] * dy[r, $0] }
    let meanG = g.reduce(0, +) / width
    let meanGX = zip(g, normalized).reduce(0) { $0 + $1.0 * $1.1 } / width
    for c in 0..<x.columns {
      dx[r, c] = (g[c] - meanG - normalized[c] * meanGX) / deviation
      dScale[0, c] += dy[r, c] * normalized[c]
      dShift[0, c] += dy[r, c]
    }
  }
  return (dx, dScale, dShift)
}

/// x̂ and √(var x + ε) of one row.
private func normalizedRow(_ x: [Double], _ epsilon: Double) -> (normalized: [Double], deviation: Double) {
  let mean = x.reduce(0, +) / Double(x.count)
  let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
  let deviation = (variance + epsilon).squareRoot()
  return (x.map { ($0 - mean) / deviation }, deviation)
}
