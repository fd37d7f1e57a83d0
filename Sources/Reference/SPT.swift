/// A vision transformer with a linear head, and the gradients of its cross-entropy for one batch.
///
///     z = V f + c,   L = cross-entropy of z
///
/// - tower: with head.weight V: [classes, width], and head.bias c: [1, classes], among its weights; results: L, and one
///   gradient per tensor, by its name.
public func classifierGradients(
  _ tower: Network, images: Images, labels: [Int]
) -> (loss: Double, gradients: Parameters) {
  let values = tower.visionTransformer(images)
  let logits = linear(values.features, weight: tower["head.weight"], bias: tower["head.bias"])
  let dLogits = crossEntropyBackward(logits, labels: labels)
  let head = linearBackward(dLogits, x: values.features, weight: tower["head.weight"])
  var gradients = tower.visionTransformerBackward(head.x, values, images: images).weights
  (gradients["head.weight"], gradients["head.bias"]) = (head.weight, head.bias)
  return (crossEntropy(logits, labels: labels), gradients)
}

/// Adds the squared gradients of one batch to the sensitivities of tensors (SPT (a), (b)). Returns the loss.
///
///     s_n = L(w) − L(w with w*_n) ≈ g_n (w_n − w*_n) = ε g_n², as one gradient step gives w*_n = w_n − ε g_n
///     S ← S + (∂L_b/∂w)²,   L_b the mean loss of the batch
///
/// Nothing is updated between batches. With batches of one image this is the paper's sum over samples.
///
/// - sums S: one matrix per ranked tensor, by its name, zeros at first.
@discardableResult
public func addSensitivity(to sums: inout Parameters, _ tower: Network, images: Images, labels: [Int]) -> Double {
  let (loss, gradients) = classifierGradients(tower, images: images, labels: labels)
  for (name, sum) in sums { sums[name] = sum.zip(gradients.required(name)) { $0 + $1 * $1 } }
  return loss
}

/// The form of the module of a matrix (SPT (i), (j)).
///
/// In the authors' code the module of attention's output map is parallel also where it is an adapter, and has no
/// dropout; in the paper it is as all others. (In the code LoRA at query, key and value of a block also share one
/// dropout sample: the caller gives all three the same random numbers.)
public func moduleForm(
  _ name: String, _ kind: ModuleKind, dropout: Double = 0.1, dropPath: Double = 0.1, followsPaper: Bool = false
) -> BranchForm {
  let isException = name.hasSuffix(".attention.output") && !followsPaper
  return BranchForm(
    isSequential: kind == .adapter && !isException, hasActivation: kind == .adapter,
    dropout: isException ? 0 : dropout, dropPath: dropPath)
}

/// The entries of a plan that are trained: in the authors' code not those of norms, though they are counted (SPT (k)).
public func trainedEntries(_ plan: TuningPlan, followsPaper: Bool = false) -> [String: [Int]] {
  plan.entries.filter { name, _ in followsPaper || !(name.hasSuffix(".scale") || name.hasSuffix(".shift")) }
}

/// A tensor with shifted entries (SPT (k)). Backward: ∂d_k is entry i_k of the gradient of W'.
///
///     W' = W + scatter(d),   W'[i_k] = W[i_k] + d_k
///
/// - weight W, W': one shape; shifts d: [1, number of indices]; indices: row-major.
public func shifted(_ weight: Matrix, by shifts: Matrix, at indices: [Int]) -> Matrix {
  var result = weight
  for (k, index) in indices.enumerated() { result.values[index] += shifts.values[k] }
  return result
}

/// The gradient of the shifts (SPT (k)).
public func shiftedBackward(_ dShifted: Matrix, at indices: [Int]) -> Matrix {
  Matrix(row: indices.map { dShifted.values[$0] })
}

/// One training step of SPT (SPT (i) to (l)). Returns the loss before the step.
///
/// Names of what is trained: those of whole tensors (the class token, vectors, head.weight and head.bias); of branches
/// NAME.branch.down, .down.bias, .up and .up.bias; of the shifts d of single entries NAME.sparse.
///
/// The update is AdamW; weight decay acts on matrices but not on vectors, shifts and the class token.
///
/// - tower: frozen tensors, the forms of the branches, the draws of the step; entries: the indices of the shifts, by
///   NAME; learningRate: that of the epoch.
public func tuningStep(
  _ trained: inout Parameters, _ moments: inout [String: Moments], _ tower: Network, entries: [String: [Int]],
  images: Images, labels: [Int], learningRate: Double, weightDecay: Double = 1e-4
) -> Double {
  var tuned = tower
  tuned.weights.merge(trained) { _, trained in trained }
  for (name, indices) in entries {
    tuned.weights[name] = shifted(tuned[name], by: trained.required("\(name).sparse"), at: indices)
  }

  var (loss, gradients) = classifierGradients(tuned, images: images, labels: labels)
  for (name, indices) in entries {
    gradients["\(name).sparse"] = shiftedBackward(gradients.required(name), at: indices)
  }

  for (name, value) in trained {
    var tensor = value
    let isDecayed = [".branch.down", ".branch.up", "head.weight"].contains { name.hasSuffix($0) }
    adamStep(
      &tensor, gradient: gradients.required(name), moments: &moments[name, default: Moments(like: value)],
      learningRate: learningRate, weightDecay: isDecayed ? weightDecay : 0, decay: .decoupled)
    trained[name] = tensor
  }
  return loss
}
