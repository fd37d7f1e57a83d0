/// α: a weight is used where its real mask is larger (R-AMT (c)).
public let maskThreshold = 5e-3
/// The initial value of every real mask: all weights are used, the model is the pretrained one (R-AMT (c)).
public let initialMask = 1e-2

/// The names of the masked weights of an image tower, one list per tensor t of the norm (R-AMT (a), (e)).
///
/// The authors' code keeps query, key and value of a block as one tensor, and masks the patch embedding too, which the
/// paper does not say. R-AMT masks attention, R-MMT the MLPs, R-MT both.
public func maskedGroups(
  blocks: Int, patchEmbedding: Bool = true, attention: Bool = true, mlp: Bool = false
) -> [[String]] {
  var groups = patchEmbedding ? [["vision.patchEmbedding"]] : []
  for name in (0..<blocks).map({ "vision.blocks.\($0)" }) {
    if attention {
      groups += [["query", "key", "value"].map { "\(name).attention.\($0)" }, ["\(name).attention.output"]]
    }
    if mlp { groups += [["\(name).mlp.up"], ["\(name).mlp.down"]] }
  }
  return groups
}

/// A weight under the binary mask of a real one (R-AMT (c)).
///
///     W' = W ⊙ B,   B = 1[M > α]
///
/// - weight W, mask M, W': one shape. An entry is dropped where M = α, and where M is not a number.
public func masked(_ weight: Matrix, mask: Matrix, threshold: Double = maskThreshold) -> Matrix {
  weight.zip(mask) { w, m in m > threshold ? w : 0 }
}

/// The straight-through gradient of a real mask (R-AMT (d); Bengio et al. 2013).
///
///     ∂M := ∂B = ∂W' ⊙ W
///
/// The step from M to B has slope 0 or none. ∂B is the gradient of a mask relaxed to real values, W' = W ⊙ B; its
/// factor W is the same for kept and dropped weights, so that a dropped weight can come back.
///
/// - dMasked, weight: one shape.
public func maskedBackward(_ dMasked: Matrix, weight: Matrix) -> Matrix { dMasked.zip(weight) { $0 * $1 } }

/// ‖M_t‖₂ of the matrices of one tensor t (R-AMT (e)).
public func maskNorm(_ masks: [Matrix]) -> Double { euclideanNorm(masks.flatMap(\.values)) }

/// The gradient of the norm.
///
///     ∂M = M / ‖M_t‖₂, 0 where the norm is 0
public func maskNormBackward(_ masks: [Matrix]) -> [Matrix] {
  let norm = maskNorm(masks)
  return masks.map { $0.map { norm > 0 ? $0 / norm : 0 } }
}

/// The probability that gradient dropout keeps an entry (R-AMT eq. 7).
///
///     P = ½ (1 + sgn(a) (a + b) / (|a| + |b| + ε)),   ε = 1e-8,   sgn(0) = 0
///
/// a and b of one sign give P ≈ 1; of opposite signs with |b| ≫ |a|, P ≈ 0; a = 0, or both far below ε, P ≈ ½.
public func keepProbability(_ a: Double, _ b: Double) -> Double {
  let sign: Double = a > 0 ? 1 : a < 0 ? -1 : 0
  return 0.5 * (1 + sign * (a + b) / (abs(a) + abs(b) + 1e-8))
}

/// Gradient dropout regularity (R-AMT eq. 7).
///
///     g = ((1 − λ) + λ 1[P > U]) a
///
/// b decides whether a is applied in full; it is never added. λ = 0 gives a, λ = 1 gives 0 where P ≤ U.
///
/// - a = ∂L_a/∂M, b = ∂L_b/∂M, uniform U: one shape.
public func gradientDropout(_ a: Matrix, _ b: Matrix, uniform: [Double], lambda: Double) -> Matrix {
  require(uniform.count == a.count, "gradientDropout: expected \(a.count) uniform numbers, found \(uniform.count)")
  var g = a
  for k in g.values.indices {
    let isKept = keepProbability(a.values[k], b.values[k]) > uniform[k]
    g.values[k] = ((1 - lambda) + lambda * (isKept ? 1 : 0)) * a.values[k]
  }
  return g
}

/// The quantities of a training step of R-AMT, before its update.
public struct MaskStep: Sendable {
  /// L_ce, Σ_t ‖M_t‖₂ and L_b.
  public var crossEntropy = 0.0, norm = 0.0, distillation = 0.0
  /// a, b and g, one matrix per masked weight.
  public var a: Parameters = [:], b: Parameters = [:], g: Parameters = [:]
  /// The logits of the masked model and of the untuned one: [batch, classes].
  public var logits, teacherLogits: Matrix
}

/// The losses and gradients of one training step (R-AMT (c) to (f), eq. 7).
///
///     L_a = L_ce + w Σ_t ‖M_t‖₂,   L_b = −(1/n) Σ_i Σ_c softmax(z⁰_i)_c log softmax(z_i)_c
///
/// z are the logits of the tower with W ⊙ B, z⁰ those of the tower with W, both for the same images and classifier. Two
/// backward passes over the masked tower give a and b.
///
/// - tower: the frozen image tower; masks M: one per masked weight, by its name; classifier: the text features of the
///   classes, [classes, embedding]; groups: of the norm, from `maskedGroups`; uniform U: by the names of the weights.
public func maskStep(
  _ tower: Network, masks: Parameters, groups: [[String]], images: Images, labels: [Int], classifier: Matrix,
  logitScale: Double, uniform: Draws, lambda: Double, normWeight: Double = 1e-4
) -> MaskStep {
  var student = tower
  for (name, mask) in masks { student.weights[name] = masked(tower[name], mask: mask) }
  let values = student.visionTransformer(images)
  func logits(_ features: Matrix) -> Matrix {
    clipLogits(features: features, classifier: classifier, logitScale: logitScale)
  }
  var step = MaskStep(
    logits: logits(values.features), teacherLogits: logits(tower.visionTransformer(images).features))
  step.crossEntropy = crossEntropy(step.logits, labels: labels)
  step.distillation = distillation(step.logits, teacher: step.teacherLogits)

  /// ∂M of every mask for the gradient of a loss with respect to z.
  func maskGradients(_ dLogits: Matrix) -> Parameters {
    let d = clipLogitsBackward(dLogits, features: values.features, classifier: classifier, logitScale: logitScale)
    let gradients = student.visionTransformerBackward(d.features, values, images: images).weights
    var result: Parameters = [:]
    for name in masks.keys { result[name] = maskedBackward(gradients.required(name), weight: tower[name]) }
    return result
  }
  step.a = maskGradients(crossEntropyBackward(step.logits, labels: labels))
  step.b = maskGradients(distillationBackward(step.logits, teacher: step.teacherLogits))
  for group in groups {
    let own = group.map { masks.required($0) }
    step.norm += maskNorm(own)
    for (name, d) in zip(group, maskNormBackward(own)) {
      step.a[name] = step.a.required(name).zip(d) { $0 + normWeight * $1 }
    }
  }
  for (name, a) in step.a {
    step.g[name] = gradientDropout(a, step.b.required(name), uniform: uniform[name] ?? [], lambda: lambda)
  }
  return step
}

/// The update that ends a training step: Adam on g, without weight decay (R-AMT (g)).
///
/// - learningRate: that of the epoch.
public func updateMasks(
  _ masks: inout Parameters, _ moments: inout [String: Moments], step: MaskStep, learningRate: Double
) {
  for (name, g) in step.g {
    var mask = masks.required(name)
    adamStep(&mask, gradient: g, moments: &moments[name, default: Moments(like: g)], learningRate: learningRate)
    masks[name] = mask
  }
}
