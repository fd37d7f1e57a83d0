/// What the linear probe minimises, and its gradient (Linear probe (a) to (c)).
///
///     F = ½ ‖V‖² + C Σ_i −log softmax(V f_i + c)_{y_i}
///     ∂V = V + C Σ_i (p_i − e_{y_i}) f_iᵀ,   ∂c = C Σ_i (p_i − e_{y_i}),   p = softmax(V f + c), e_y a row with one 1
///
/// - weight V: [classes, width]; bias c: [1, classes], without a penalty; features f: [n, width], raw; labels y: n of
///   them; strength C. The loss is a sum, not a mean, so that C does not depend on n.
public func probeObjective(
  weight: Matrix, bias: Matrix, features: Matrix, labels: [Int], strength: Double
) -> (value: Double, weight: Matrix, bias: Matrix) {
  let logits = linear(features, weight: weight, bias: bias)
  let scale = strength * Double(labels.count)
  let d = linearBackward(
    crossEntropyBackward(logits, labels: labels).map { scale * $0 }, x: features, weight: weight)
  let norm = weight.values.reduce(0) { $0 + $1 * $1 }
  return (0.5 * norm + scale * crossEntropy(logits, labels: labels), weight + d.weight, d.bias)
}
