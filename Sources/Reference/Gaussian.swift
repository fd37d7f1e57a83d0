import Foundation

/// The Gaussian classifier of features, with one covariance for all classes (GDA (a) to (d)).
///
///     x = f / ‖f‖,   μ_c = mean of x over class c,   Σ = Σ_i (x_i − μ_{y_i})(x_i − μ_{y_i})ᵀ / (n − 1)
///     A = d [(n − 1) Σ + tr(Σ) I]⁻¹,   w_c = A μ_c,   b_c = −log C − ½ ⟨w_c, μ_c⟩
///
/// - features f: [n, d], of all views of all images; labels: n of them, every class at least once. Results: w,
///   [classes, d], and b, [1, classes].
public func gaussianClassifier(_ features: Matrix, labels: [Int], classes: Int) -> (weight: Matrix, bias: Matrix) {
  let (x, n, d) = (normalizedRows(features), features.rows, features.columns)
  var means = Matrix(classes, d)
  for c in 0..<classes {
    let own = labels.indices.filter { labels[$0] == c }
    for i in own { for k in 0..<d { means[c, k] += x[i, k] / Double(own.count) } }
  }
  var bracket = Matrix(d, d)
  for i in 0..<n {
    let shift = (0..<d).map { x[i, $0] - means[labels[i], $0] }
    for j in 0..<d { for k in 0..<d { bracket[j, k] += shift[j] * shift[k] } }
  }
  let trace = (0..<d).reduce(0) { $0 + bracket[$1, $1] } / Double(n - 1)
  for k in 0..<d { bracket[k, k] += trace }
  let weight = solutions(bracket, means).map { Double(d) * $0 }
  var bias = Matrix(1, classes)
  for c in 0..<classes {
    bias[0, c] = -log(Double(classes))
    for k in 0..<d { bias[0, c] -= 0.5 * weight[c, k] * means[c, k] }
  }
  return (weight, bias)
}

/// The logits of the Gaussian classifier and the text classifier, blended (GDA (e)).
///
///     z_c = s ⟨x, t_c / ‖t_c‖⟩ + a (⟨w_c, x⟩ + b_c),   x = f / ‖f‖
///
/// - features f: [batch, d]; classifier t: [classes, d]; weight w and bias b: results of `gaussianClassifier`; blend a.
public func gaussianLogits(
  features: Matrix, classifier: Matrix, logitScale: Double, weight: Matrix, bias: Matrix, blend: Double
) -> Matrix {
  let own = linear(normalizedRows(features), weight: weight, bias: bias)
  return clipLogits(features: features, classifier: classifier, logitScale: logitScale).zip(own) { $0 + blend * $1 }
}

/// A⁻¹ b for every row b, by the elimination of Gauss and Jordan: a symmetric, positive definite A needs no pivots.
private func solutions(_ matrix: Matrix, _ rows: Matrix) -> Matrix {
  var (a, x) = (matrix, rows)
  for p in 0..<a.rows {
    let pivot = a[p, p]
    for k in 0..<a.columns { a[p, k] /= pivot }
    for r in 0..<x.rows { x[r, p] /= pivot }
    for q in 0..<a.rows where q != p {
      let factor = a[q, p]
      for k in 0..<a.columns { a[q, k] -= factor * a[p, k] }
      for r in 0..<x.rows { x[r, q] -= factor * x[r, p] }
    }
  }
  return x
}
