/// The multipliers of the classes: the mean zero-shot probability of the own class (CLAP (c)).
///
///     λ_c = mean over i with y_i = c of softmax(z⁰_i)_c,   z⁰_ic = s ⟨f_i / ‖f_i‖, t_c / ‖t_c‖⟩
///
/// - features f: [n, embedding], of all views of all images; labels y: n of them; classifier t: [classes, embedding].
///   0 for a class without images.
public func prototypeMultipliers(
  features: Matrix, labels: [Int], classifier: Matrix, logitScale: Double
) -> [Double] {
  let p = softmax(clipLogits(features: features, classifier: classifier, logitScale: logitScale))
  var (sums, counts) = ([Double](repeating: 0, count: p.columns), [Double](repeating: 0, count: p.columns))
  for (i, label) in labels.enumerated() {
    sums[label] += p[i, label]
    counts[label] += 1
  }
  return sums.indices.map { counts[$0] > 0 ? sums[$0] / counts[$0] : 0 }
}

/// The loss of rows that are held near text features, and its gradient (CLAP (a), (b) and (d)).
///
///     L = cross-entropy of s ⟨f / ‖f‖, w_c / ‖w_c‖⟩,   R = (1/C) Σ_c λ_c ‖w_c − t_c‖²
///     ∂w_c = ∂L/∂w_c + 2 λ_c (w_c − t_c) / C
///
/// - rows w and start t: [classes, embedding]; features f: [batch, embedding]; labels: one per row of f; multipliers λ:
///   one per class. Results: L, R and the gradient of L + R.
public func heldPrototypes(
  _ rows: Matrix, start: Matrix, features: Matrix, labels: [Int], multipliers: [Double], logitScale: Double
) -> (loss: Double, penalty: Double, gradient: Matrix) {
  let logits = clipLogits(features: features, classifier: rows, logitScale: logitScale)
  var gradient = clipLogitsBackward(
    crossEntropyBackward(logits, labels: labels), features: features, classifier: rows, logitScale: logitScale
  ).classifier
  var penalty = 0.0
  for c in 0..<rows.rows {
    let weight = multipliers[c] / Double(rows.rows)
    for k in 0..<rows.columns {
      let shift = rows[c, k] - start[c, k]
      penalty += weight * shift * shift
      gradient[c, k] += 2 * weight * shift
    }
  }
  return (crossEntropy(logits, labels: labels), penalty, gradient)
}
