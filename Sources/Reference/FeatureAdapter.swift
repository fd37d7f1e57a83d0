/// The features of CLIP-Adapter: a bottleneck, blended with what it reads (CLIP-Adapter (a), (b)).
///
///     h = ReLU(D f),   A = ReLU(U h),   f' = a A + (1 − a) f
///
/// - features f: [batch, embedding], raw; down D: [hidden, embedding]; up U: [embedding, hidden]; ratio a.
public func adaptedFeatures(_ features: Matrix, down: Matrix, up: Matrix, ratio: Double) -> Matrix {
  let hidden = linear(features, weight: down).map { max(0, $0) }
  let adapted = linear(hidden, weight: up).map { max(0, $0) }
  return adapted.zip(features) { ratio * $0 + (1 - ratio) * $1 }
}

/// The loss of CLIP-Adapter, and the gradients of D and U (CLIP-Adapter (a) to (c)).
///
///     L = cross-entropy of s ⟨f' / ‖f'‖, t_c / ‖t_c‖⟩
///     ∂U = (a ∂f' ⊙ 1[U h > 0])ᵀ h,   ∂D = (((a ∂f' ⊙ 1[U h > 0]) U) ⊙ 1[D f > 0])ᵀ f
///
/// - classifier t: [classes, embedding]; labels: one per image; the others: as above.
public func adaptedGradients(
  _ features: Matrix, down: Matrix, up: Matrix, ratio: Double, classifier: Matrix, labels: [Int], logitScale: Double
) -> (loss: Double, down: Matrix, up: Matrix) {
  let inner = linear(features, weight: down)
  let hidden = inner.map { max(0, $0) }
  let outer = linear(hidden, weight: up)
  let adapted = adaptedFeatures(features, down: down, up: up, ratio: ratio)
  let logits = clipLogits(features: adapted, classifier: classifier, logitScale: logitScale)
  let d = clipLogitsBackward(
    crossEntropyBackward(logits, labels: labels), features: adapted, classifier: classifier, logitScale: logitScale
  ).features
  let dUp = linearBackward(d.zip(outer) { $1 > 0 ? ratio * $0 : 0 }, x: hidden, weight: up)
  let dDown = linearBackward(dUp.x.zip(inner) { $1 > 0 ? $0 : 0 }, x: features, weight: down)
  return (crossEntropy(logits, labels: labels), dDown.weight, dUp.weight)
}
