import Methods
import Models
import Tensor

extension Explanation {
  /// A step of R-AMT: an encoder that is one map of four weights, two images of two pixels, two classes.
  static func maskTuning() -> Explanation {
    let weight = Parameter(Site("W", .query), matrix([-0.5, 0.5, -0.5, 1]))
    let (images, labels) = (matrix([-2, -2, 2, -1]), [0, 1] as [Int32])
    let classifier = matrix([2, 1, -1, 2])
    let logitScale = Parameter(Site("s", .logitScale), Tensor(Real(1)))
    // As it may stand within a run: one mask is below the threshold, and one crosses it in this step.
    let mask = matrix([0.01, 0.00506, 0.004, 0.008])
    let tuning = MaskTuning(groups: [[weight]], dropout: GradientDropout(lambda: 1), normWeight: 1e-4)

    let tape = Tape()
    let leaf = tape.leaf(mask)
    let thresholded = ThresholdedMask(leaf, above: MaskTuning.threshold)
    func logits(_ features: Variable) -> Variable {
      features.contrastiveLogits(classifier: Variable(classifier), logitScale: logitScale, Pass())
    }
    let features = Variable(images).linear(Variable(weight.value), maskedBy: thresholded)
    let student = logits(features)
    let teacher = logits(Variable(images).linear(Variable(weight.value)))
    let objective = tuning.objective(logits: student, teacher: teacher, labels: labels, values: [leaf])
    let terms = Dictionary(uniqueKeysWithValues: objective.terms.map { ($0.name, $0.value) })
    let gradients = tape.gradients(of: objective.losses, for: [leaf])
    let (a, b) = (gradients[0][0], gradients[1][0])
    let probability = Tensor(a.shape, keepProbabilities(a, b))
    let uniform = Random(seed: 1, purpose: .gradientDropout, step: 0).uniform(a.shape)
    let g = tuning.combined(gradients, seed: 1, step: 0)

    var optimizer = Adam([ParameterSlot("M", mask.shape)])
    var updated = [mask]
    optimizer.step(parameters: &updated, gradients: g, learningRate: 8e-5)
    let masks = tuning.masks(updated)
    return Explanation(
      introduction: """
        R-AMT, one training step: f = W' x with four weights W, two images x, two classes with text features t.
        Numbers in brackets are those of docs/methods/r-amt.md. α = 0.005, w = 1e-4, λ = 1, η = 8e-5, s = e.
        """,
      quantities: [
        Quantity("", "x, one image per row", images), Quantity("", "y", row(labels)),
        Quantity("", "t, one class per row", classifier), Quantity("", "W", weight.value), Quantity("", "M", mask),
        Quantity("(c)", "B = 1[M > α]", thresholded.bits.real.reshaped(to: mask.shape)),
        Quantity("(c)", "W' = W ⊙ B", Variable(weight.value).masked(by: thresholded).value),
        Quantity("", "f = x W'ᵀ", features.value),
        Quantity("(j)", "z = s ⟨f/‖f‖, t/‖t‖⟩", student.value), Quantity("(j)", "z⁰, with W for W'", teacher.value),
        Quantity("(k)", "L_ce = −mean log softmax(z)_y", terms["ce"] ?? .nan),
        Quantity("(e)", "‖M‖₂", terms["norm"] ?? .nan), Quantity("(e)", "L_a = L_ce + w ‖M‖₂", terms["loss"] ?? .nan),
        Quantity("(f)", "L_b = −mean Σ softmax(z⁰) log softmax(z)", terms["kl"] ?? .nan),
        Quantity("(d)", "a = ∂L_a/∂M", a), Quantity("(d)", "b = ∂L_b/∂M", b),
        Quantity("eq. 7", "P = ½ (1 + sgn(a)(a + b)/(|a| + |b| + ε))", probability),
        Quantity("eq. 7", "U, at random", uniform), Quantity("eq. 7", "g = ((1 − λ) + λ 1[P > U]) a", g[0]),
        Quantity("(g)", "m = (1 − β₁) g", optimizer.state["M.first-moment"] ?? mask),
        Quantity("(g)", "v = (1 − β₂) g²", optimizer.state["M.second-moment"] ?? mask),
        Quantity("(g)", "M ← M − η m̂/(√v̂ + ε)", updated[0]),
        Quantity("(h)", "bits that would be saved", masks[0].real.reshaped(to: mask.shape)),
        Quantity("(m)", "masked, in percent", tuning.shares(updated)[0].percent),
      ])
  }

  /// P of every entry.
  private static func keepProbabilities(_ a: Tensor, _ b: Tensor) -> [Real] {
    zip(a.values, b.values).map { GradientDropout.keepProbability(Lanes(repeating: $0), Lanes(repeating: $1))[0] }
  }
}
