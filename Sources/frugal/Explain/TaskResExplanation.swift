import Methods
import Models
import Tensor

extension Explanation {
  /// A step of TaskRes: two classes with text features of two numbers, two images.
  static func taskRes() -> Explanation {
    let (features, labels) = (matrix([1, 2, -1, 1]), [0, 1] as [Int32])
    let base = matrix([2, 1, -1, 3])
    // As it may stand within a run.
    let residual = matrix([0.25, -0.5, 0.5, 0])
    let head = TaskRes(
      textFeatures: base, alpha: 0.5, logitScale: Parameter(Site("s", .logitScale), Tensor(Real(1))))

    let tape = Tape()
    let leaf = tape.leaf(residual)
    let classifier = head.classifier([leaf])
    let logits = head.logits(Variable(features), [leaf], Pass())
    let loss = logits.crossEntropy(labels: labels)
    let gradient = tape.gradients(of: loss, for: [leaf])[0]
    var (optimizer, updated) = (Adam([ParameterSlot("x", residual.shape)], weightDecay: 5e-4), [residual])
    optimizer.step(parameters: &updated, gradients: [gradient], learningRate: 2e-3)
    return Explanation(
      introduction: """
        TaskRes, one training step: text features t of two classes, a residual x of four weights, features f of two
        images. Numbers in brackets are those of docs/methods/task-res.md. α = 0.5, s = e, η = 2e-3, decay 5e-4.
        """,
      quantities: [
        Quantity("", "f, one image per row", features), Quantity("", "y", row(labels)),
        Quantity("(a)", "t, one class per row", base), Quantity("", "x", residual),
        Quantity("(b)", "t' = t + α x", classifier.value),
        Quantity("(c)", "u = t'/‖t'‖", classifier.l2Normalized().value),
        Quantity("(c)", "z = s ⟨f/‖f‖, u⟩", logits.value),
        Quantity("(d)", "L = −mean log softmax(z)_y", loss.value),
        Quantity("(g)", "∂L/∂x = (α/‖t'‖)(I − u uᵀ) ∂L/∂u", gradient),
        Quantity("(e)", "m = (1 − β₁)(∂L/∂x + 5e-4 x)", optimizer.state["x.first-moment"] ?? residual),
        Quantity("(e)", "v = (1 − β₂)(∂L/∂x + 5e-4 x)²", optimizer.state["x.second-moment"] ?? residual),
        Quantity("(e)", "x ← x − η m̂/(√v̂ + ε)", updated[0]),
      ])
  }
}
