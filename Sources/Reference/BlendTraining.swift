/// The step sizes of LP++, which follow from the data (LP++ (c)).
///
///     η_w = 4 n / λ_max(Xᵀ X),   η_α = n / (4 max_c Σ_i ⟨x_i, u_c⟩²)
///
/// x = f / ‖f‖ and u = t / ‖t‖. λ_max by the power method: v ← Xᵀ X v / ‖Xᵀ X v‖, 5,000 times.
///
/// - features f: [n, embedding]; classifier t: [classes, embedding].
public func blendStepSizes(_ features: Matrix, classifier: Matrix) -> (weight: Double, alpha: Double) {
  let (x, n) = (normalizedRows(features), Double(features.rows))
  let columns = x.transposed
  var v = Matrix(1, x.columns, repeating: 1)
  var largest = 0.0
  for _ in 0..<5000 {
    let product = linear(linear(v, weight: x), weight: columns)
    largest = euclideanNorm(product.values)
    v = product.map { $0 / largest }
  }
  let similarities = linear(x, weight: normalizedRows(classifier))
  var squares = [Double](repeating: 0, count: classifier.rows)
  for i in 0..<similarities.rows { for c in squares.indices { squares[c] += similarities[i, c] * similarities[i, c] } }
  return (4 * n / largest, n / (4 * (squares.max() ?? 0)))
}

/// The training of LP++ on all images at once (LP++ (d), (e)). Returns the loss before each epoch.
///
///     w, β:   v ← 0.9 v + ∂,   θ ← θ − η_w v in each epoch
///     α:      α ← α − η_α Σ ∂α after epochs 10, 20, …, where the sum is over all epochs since the first
///
/// - blend: the start, and the result; the others: as above.
public func trainBlend(
  _ blend: inout Blend, features: Matrix, labels: [Int], classifier: Matrix, epochs: Int = 300
) -> [Double] {
  let rates = blendStepSizes(features, classifier: classifier)
  var (weight, bias) = (Matrix(blend.weight.rows, blend.weight.columns), Matrix(1, blend.bias.columns))
  var sum = Matrix(1, blend.alpha.columns)
  return (1...epochs).map { epoch in
    let logits = blend.logits(features, classifier: classifier)
    let d = blend.gradients(
      crossEntropyBackward(logits, labels: labels), features: features, classifier: classifier)
    weight = weight.zip(d.weight) { 0.9 * $0 + $1 }
    bias = bias.zip(d.bias) { 0.9 * $0 + $1 }
    sum = sum + d.alpha
    blend.weight = blend.weight.zip(weight) { $0 - rates.weight * $1 }
    blend.bias = blend.bias.zip(bias) { $0 - rates.weight * $1 }
    if epoch % 10 == 0 { blend.alpha = blend.alpha.zip(sum) { $0 - rates.alpha * $1 } }
    return crossEntropy(logits, labels: labels)
  }
}
