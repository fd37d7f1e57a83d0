import Foundation

/// The keys of a cache of training features (Tip-Adapter (a)).
///
///     K_i = m_i / ‖m_i‖,   m_i = (1/views) Σ_v f_vi
///
/// - features f: [views · images, embedding], raw, all images of the first view first; K: [images, embedding].
public func cacheKeys(_ features: Matrix, views: Int) -> Matrix {
  let images = features.rows / views
  var mean = Matrix(images, features.columns)
  for row in 0..<features.rows {
    for k in 0..<features.columns { mean[row % images, k] += features[row, k] / Double(views) }
  }
  return normalizedRows(mean)
}

/// The logits of the text classifier with the votes of a cache (Tip-Adapter (b), (c)).
///
///     z_c = s ⟨x, t_c / ‖t_c‖⟩ + α Σ_{j: y_j = c} exp(−β (1 − ⟨x, K_j⟩)),   x = f / ‖f‖
///
/// - features f: [batch, embedding]; classifier t: [classes, embedding]; keys K: [images, embedding], with one label y
///   per key; z: [batch, classes].
public func cacheLogits(
  features: Matrix, classifier: Matrix, logitScale: Double, keys: Matrix, labels: [Int], alpha: Double, beta: Double
) -> Matrix {
  var z = clipLogits(features: features, classifier: classifier, logitScale: logitScale)
  let products = linear(normalizedRows(features), weight: keys)
  for i in 0..<z.rows {
    for (j, label) in labels.enumerated() { z[i, label] += alpha * exp(-beta * (1 - products[i, j])) }
  }
  return z
}

/// The gradient of the keys (Tip-Adapter (d)).
///
///     ∂K_j = α β Σ_i ∂z_i[y_j] exp(−β (1 − ⟨x_i, K_j⟩)) x_i
///
/// - dLogits ∂z: [batch, classes]; the others: arguments of `cacheLogits`; result: [images, embedding].
public func cacheLogitsBackward(
  _ dLogits: Matrix, features: Matrix, keys: Matrix, labels: [Int], alpha: Double, beta: Double
) -> Matrix {
  let x = normalizedRows(features)
  let products = linear(x, weight: keys)
  var dKeys = Matrix(keys.rows, keys.columns)
  for i in 0..<x.rows {
    for (j, label) in labels.enumerated() {
      let slope = alpha * beta * dLogits[i, label] * exp(-beta * (1 - products[i, j]))
      for k in 0..<x.columns { dKeys[j, k] += slope * x[i, k] }
    }
  }
  return dKeys
}
