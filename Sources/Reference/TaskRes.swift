/// The base classifier of TaskRes: the mean of the raw text features of a class over its templates (TaskRes (a)).
///
///     t_c = (1/T) Σ_j textFeatures(template_j with class c)
///
/// - features: [classes · templates, embedding], class by class; result: [classes, embedding].
public func meanOverTemplates(_ features: Matrix, templates: Int) -> Matrix {
  var mean = Matrix(features.rows / templates, features.columns)
  for row in 0..<features.rows {
    for k in 0..<features.columns { mean[row / templates, k] += features[row, k] / Double(templates) }
  }
  return mean
}

/// The classifier of TaskRes (TaskRes (b)).
///
///     t'_c = t_c + α x_c
///
/// t is not normalised: its norm determines how far α x can turn it. Backward: ∂x = α ∂t'.
///
/// - base t, residual x, t': [classes, embedding].
public func residualClassifier(_ base: Matrix, residual: Matrix, alpha: Double) -> Matrix {
  base.zip(residual) { $0 + alpha * $1 }
}

/// One training step of TaskRes (TaskRes (b) to (e), and (g)); x is 0 before the first. Returns the loss before it.
///
///     L = cross-entropy of z,   z_ic = s ⟨f_i / ‖f_i‖, t'_c / ‖t'_c‖⟩
///     ∂x_c = α ∂t'_c = (α / ‖t'_c‖) (∂u_c − u_c ⟨u_c, ∂u_c⟩)   with u_c = t'_c / ‖t'_c‖
///
/// - residual x: [classes, embedding]; features f: [batch, embedding], of the frozen image tower; labels: one per
///   image; learningRate: that of the epoch; weightDecay is added to the gradient.
public func residualStep(
  _ residual: inout Matrix, _ moments: inout Moments, base: Matrix, features: Matrix, labels: [Int],
  logitScale: Double, alpha: Double = 0.5, learningRate: Double, weightDecay: Double = 5e-4
) -> Double {
  let classifier = residualClassifier(base, residual: residual, alpha: alpha)
  let logits = clipLogits(features: features, classifier: classifier, logitScale: logitScale)
  let dLogits = crossEntropyBackward(logits, labels: labels)
  let d = clipLogitsBackward(dLogits, features: features, classifier: classifier, logitScale: logitScale)
  adamStep(
    &residual, gradient: d.classifier.map { alpha * $0 }, moments: &moments, learningRate: learningRate,
    weightDecay: weightDecay)
  return crossEntropy(logits, labels: labels)
}
