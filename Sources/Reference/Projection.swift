/// The loss of a projection that is trained and held near its start (ProLIP (a), (b); Fahes et al. 2024), and its
/// gradient.
///
///     f = P x,   L = cross-entropy of s ⟨f / ‖f‖, t / ‖t‖⟩ + λ ‖P − P₀‖²,   ∂P = ∂fᵀ x + 2 λ (P − P₀)
///
/// - projection P and start P₀: [embedding, width]; x, what the projection reads: [batch, width]; classifier t:
///   [classes, embedding]; penalty λ.
public func heldProjection(
  _ projection: Matrix, start: Matrix, x: Matrix, classifier: Matrix, labels: [Int], logitScale: Double, penalty: Double
) -> (loss: Double, gradient: Matrix) {
  let features = linear(x, weight: projection)
  let logits = clipLogits(features: features, classifier: classifier, logitScale: logitScale)
  let dFeatures = clipLogitsBackward(
    crossEntropyBackward(logits, labels: labels), features: features, classifier: classifier, logitScale: logitScale
  ).features
  let shift = projection.zip(start) { $0 - $1 }
  let distance = shift.values.reduce(0) { $0 + $1 * $1 }
  let dProjection = linearBackward(dFeatures, x: x, weight: projection).weight
  return (
    crossEntropy(logits, labels: labels) + penalty * distance, dProjection + shift.map { 2 * penalty * $0 }
  )
}
