/// Cross-entropy with class labels, averaged over the batch (R-AMT (k), TaskRes (d); L of SPT).
///
///     L = −(1/n) Σ_i log softmax(z_i)[y_i]
///
/// - logits z: [n, classes]; labels y: n of them, each in 0 ..< classes.
public func crossEntropy(_ logits: Matrix, labels: [Int]) -> Double {
  require(labels.count == logits.rows, "crossEntropy: expected \(logits.rows) labels, found \(labels.count)")
  let logP = logSoftmax(logits)
  var sum = 0.0
  for (i, label) in labels.enumerated() { sum -= logP[i, label] }
  return sum / Double(logits.rows)
}

/// The gradient of cross-entropy.
///
///     ∂z_i[c] = (softmax(z_i)[c] − 1[c = y_i]) / n
///
/// - logits, labels: as above; result: [n, classes].
public func crossEntropyBackward(_ logits: Matrix, labels: [Int]) -> Matrix {
  var dz = softmax(logits)
  for (i, label) in labels.enumerated() { dz[i, label] -= 1 }
  return dz.map { $0 / Double(logits.rows) }
}

/// Cross-entropy of a student with its teacher, averaged over the batch (L_b, R-AMT (f); Hinton et al. 2015).
///
///     L = −(1/n) Σ_i Σ_c softmax(z⁰_i)_c log softmax(z_i)_c
///
/// The teacher's entropy is not subtracted: L is not 0 where both agree; its gradient is that of KL(teacher ‖ student).
///
/// - student z, teacher z⁰: [n, classes].
public func distillation(_ student: Matrix, teacher: Matrix) -> Double {
  let terms = softmax(teacher).zip(logSoftmax(student)) { $0 * $1 }
  return -terms.values.reduce(0, +) / Double(student.rows)
}

/// The gradient of the distillation term for the student; the teacher is constant.
///
///     ∂z = (softmax(z) − softmax(z⁰)) / n
///
/// - student, teacher: as above; result: [n, classes].
public func distillationBackward(_ student: Matrix, teacher: Matrix) -> Matrix {
  softmax(student).zip(softmax(teacher)) { ($0 - $1) / Double(student.rows) }
}
