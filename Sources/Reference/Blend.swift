/// A linear classifier and its blend with the text classifier, class by class: what LP++ trains.
public struct Blend: Sendable, Equatable {
  /// w: [classes, embedding]; β and α: [1, classes].
  public var weight, bias, alpha: Matrix

  /// Given values.
  public init(weight: Matrix, bias: Matrix, alpha: Matrix) {
    (self.weight, self.bias, self.alpha) = (weight, bias, alpha)
  }

  /// The values before the first epoch (LP++ (b)).
  ///
  ///     w_c = Σ_{i: y_i = c} x_i,   α_c = 250 · mean over classes c' of the mean over i of class c' of ⟨x_i, u_c'⟩
  ///
  /// x = f / ‖f‖ and u = t / ‖t‖; classes without images are left out of the mean.
  ///
  /// - features f: [n, embedding]; labels y: n of them; classifier t: [classes, embedding]; bias β, which is random.
  public init(startAt features: Matrix, labels: [Int], classifier: Matrix, bias: Matrix) {
    let (x, similarities) = (normalizedRows(features), unitSimilarities(features, classifier))
    var weight = Matrix(classifier.rows, classifier.columns)
    var means: [Double] = []
    for c in 0..<classifier.rows {
      let own = labels.indices.filter { labels[$0] == c }
      for i in own { for k in 0..<x.columns { weight[c, k] += x[i, k] } }
      if !own.isEmpty { means.append(own.reduce(0) { $0 + similarities[$1, c] } / Double(own.count)) }
    }
    let alpha = 250 * means.reduce(0, +) / Double(means.count)
    self.init(weight: weight, bias: bias, alpha: Matrix(1, classifier.rows, repeating: alpha))
  }

  /// The logits (LP++ (a)).
  ///
  ///     z_c = ⟨w_c, x⟩ + β_c + α_c ⟨u_c, x⟩
  ///
  /// - features f: [n, embedding]; classifier t: [classes, embedding]; z: [n, classes].
  public func logits(_ features: Matrix, classifier: Matrix) -> Matrix {
    var z = linear(normalizedRows(features), weight: weight, bias: bias)
    let similarities = unitSimilarities(features, classifier)
    for i in 0..<z.rows { for c in 0..<z.columns { z[i, c] += alpha[0, c] * similarities[i, c] } }
    return z
  }

  /// The gradients of w, β and α.
  ///
  ///     ∂w = ∂zᵀ x,   ∂β = Σ_i ∂z_i,   ∂α_c = Σ_i ∂z_i[c] ⟨u_c, x_i⟩
  public func gradients(_ dLogits: Matrix, features: Matrix, classifier: Matrix) -> Blend {
    let d = linearBackward(dLogits, x: normalizedRows(features), weight: weight)
    let products = dLogits.zip(unitSimilarities(features, classifier)) { $0 * $1 }
    var dAlpha = Matrix(1, products.columns)
    for i in 0..<products.rows { for c in 0..<products.columns { dAlpha[0, c] += products[i, c] } }
    return Blend(weight: d.weight, bias: d.bias, alpha: dAlpha)
  }
}

/// Cosine similarities: [n, classes].
private func unitSimilarities(_ features: Matrix, _ classifier: Matrix) -> Matrix {
  linear(normalizedRows(features), weight: normalizedRows(classifier))
}
