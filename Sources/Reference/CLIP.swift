import Foundation

/// Every row divided by its Euclidean norm; of text features, the rows of 2SFS (c).
///
///     u = x / ‖x‖
///
/// A norm below 1e-12 counts as 1e-12, so that zeros stay zeros.
///
/// - x, u: [rows, width].
public func normalizedRows(_ x: Matrix) -> Matrix {
  var u = Matrix(x.rows, x.columns)
  for r in 0..<x.rows {
    let norm = max(euclideanNorm(x.row(r)), 1e-12)
    for c in 0..<x.columns { u[r, c] = x[r, c] / norm }
  }
  return u
}

/// The gradient of rows divided by their norms; with α before it, TaskRes (g).
///
///     ∂x = (∂u − u ⟨u, ∂u⟩) / ‖x‖
///
/// Derivation: moving x along itself does not change u, so that part of ∂u is removed; the rest moves u by 1/‖x‖.
/// Up to a norm of 1e-12 the divisor is that constant, and nothing is removed.
///
/// - du, x: [rows, width]; result: [rows, width].
public func normalizedRowsBackward(_ du: Matrix, x: Matrix) -> Matrix {
  let u = normalizedRows(x)
  var dx = Matrix(x.rows, x.columns)
  for r in 0..<x.rows {
    let norm = euclideanNorm(x.row(r))
    if norm <= 1e-12 {
      for c in 0..<x.columns { dx[r, c] = du[r, c] / 1e-12 }
      continue
    }
    let along = zip(u.row(r), du.row(r)).reduce(0) { $0 + $1.0 * $1.1 }
    for c in 0..<x.columns { dx[r, c] = (du[r, c] - u[r, c] * along) / norm }
  }
  return dx
}

/// √Σ x²
func euclideanNorm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

/// CLIP's classifier: scaled cosine similarities (Radford et al. 2021, section 2.1; R-AMT (j), TaskRes (c), 2SFS (d)).
///
///     z_ic = s ⟨f_i / ‖f_i‖, t_c / ‖t_c‖⟩,   s = exp(logitScale)
///
/// - features f: [batch, embedding]; classifier t: [classes, embedding]; z: [batch, classes].
public func clipLogits(features: Matrix, classifier: Matrix, logitScale: Double) -> Matrix {
  let scale = exp(logitScale)
  return linear(normalizedRows(features), weight: normalizedRows(classifier)).map { scale * $0 }
}

/// The gradients of CLIP's classifier: those of its three steps in reverse.
///
///     ∂(z / s) = s ∂z,   ∂logitScale = Σ ∂z z
///
/// - dLogits and the inputs: as above; results: of the shapes of f and t, and of the scalar logitScale.
public func clipLogitsBackward(
  _ dLogits: Matrix, features: Matrix, classifier: Matrix, logitScale: Double
) -> (features: Matrix, classifier: Matrix, logitScale: Double) {
  let scale = exp(logitScale)
  let z = clipLogits(features: features, classifier: classifier, logitScale: logitScale)
  let d = linearBackward(
    dLogits.map { scale * $0 }, x: normalizedRows(features), weight: normalizedRows(classifier))
  return (
    normalizedRowsBackward(d.x, x: features), normalizedRowsBackward(d.weight, x: classifier),
    dLogits.zip(z) { $0 * $1 }.values.reduce(0, +)
  )
}
