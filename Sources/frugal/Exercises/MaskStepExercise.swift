import Foundation
import Reference

extension Exercise {
  /// A whole step of R-AMT.
  static let maskStep = Exercise(
    name: "r-amt", title: "A whole step of R-AMT",
    introduction: """
      One training step of regularized mask tuning. The image encoder is one linear map of a vector x per image, and its
      weight W is masked. α = 5e-3, w = 1e-4, λ and U are given; the update is Adam's first step with learning rate
      η = 8e-5 (β₁ = 0.9, β₂ = 0.999, ε = 1e-8, moments 0 before). Subscript 0: of the untuned encoder, a constant.
      """,
    inputs: [
      Input("w", 2, "W, the weight: [embedding, in]"), Input("m", 2, "M, the real mask"),
      Input("alpha", 0, "α"),
      Input("x", 2, "the input, one row per image"),
      Input("t", 2, "text features, one row per class"),
      Input("log_s", 0, "log s"), Input("y", 1, "the class of every image"),
      Input("u", 2, "U, uniform in [0, 1)"),
      Input("lam", 0, "λ"),
    ],
    make: { draws, size in
      let (images, width, embedding, classes) = size == .own ? (4, 6, 5, 3) : (3, 5, 4, 4)
      return [
        "w": draws.matrix(embedding, width), "m": mask(&draws, embedding, width),
        "alpha": .number(maskThreshold),
        "x": draws.matrix(images, width, scale: 2), "t": draws.matrix(classes, embedding, scale: 2),
        "log_s": .number(1.25), "y": draws.labels(images, below: classes),
        "u": draws.uniform(embedding, width),
        "lam": .number(0.25),
      ]
    },
    steps: [
      binaryMask,
      Step("f", 2, "f = x (W ⊙ B)ᵀ", "R-AMT (c)", from: ["x", "w", "b"]) { values in
        linear(values["x"], weight: values["w"].zip(values["b"]) { $0 * $1 })
      },
      Step(
        "z", 2, "z_ic = s ⟨f_i / ‖f_i‖, t_c / ‖t_c‖⟩, s = exp(log s)", "R-AMT (j)",
        from: ["f", "t", "log_s"]
      ) {
        clipLogits(features: $0["f"], classifier: $0["t"], logitScale: $0.number("log_s"))
      },
      Step(
        "z0", 2, "z⁰, the same with f⁰ = x Wᵀ", "R-AMT (f)", from: ["x", "w", "t", "log_s"]
      ) { values in
        let features = linear(values["x"], weight: values["w"])
        return clipLogits(
          features: features, classifier: values["t"], logitScale: values.number("log_s"))
      },
      Step("norm", 0, "‖M‖₂", "R-AMT (e)", from: ["m"]) { .number(maskNorm([$0["m"]])) },
      Step(
        "loss_a", 0, "L_a = −(1/n) Σ_i log softmax(z_i)[y_i] + w ‖M‖₂, w = 1e-4", "R-AMT (e)",
        from: ["z", "y", "norm"],
        mistakes: [
          ("the norm is missing", { .number(crossEntropy(of: $0)) }),
          ("the factor w is missing", { .number(crossEntropy(of: $0) + $0.number("norm")) }),
        ]
      ) { .number(crossEntropy(of: $0) + 1e-4 * $0.number("norm")) },
      Step(
        "loss_b", 0, "L_b = −(1/n) Σ_i Σ_c softmax(z⁰_i)[c] log softmax(z_i)[c]", "R-AMT (f)",
        from: ["z", "z0"],
        mistakes: [
          ("z and z⁰ are exchanged", { .number(distillation($0["z0"], teacher: $0["z"])) }),
          (
            "the entropy of softmax(z⁰) is subtracted",
            { values in
              let entropy = distillation(values["z0"], teacher: values["z0"])
              return .number(distillation(values["z"], teacher: values["z0"]) - entropy)
            }
          ),
        ]
      ) { .number(distillation($0["z"], teacher: $0["z0"])) },
      Step(
        "a", 2, "a = ∂L_a/∂M, straight through: ∂L/∂M := ∂L/∂W' ⊙ W; with w M / ‖M‖₂",
        "R-AMT (d) and (e)",
        from: ["z", "y", "f", "x", "w", "t", "log_s", "m", "norm"],
        mistakes: [
          ("the gradient of the norm is missing", { maskGradient($0, crossEntropyGradient($0)) }),
          ("the gradient of ‖M‖² in place of ‖M‖", { withNorm($0) { m, _ in 2 * m } }),
        ]
      ) { withNorm($0) { m, norm in norm > 0 ? m / norm : 0 } },
      Step(
        "b_grad", 2, "b = ∂L_b/∂M, straight through", "R-AMT (d) and (f)",
        from: ["z", "z0", "f", "x", "w", "t", "log_s"]
      ) { maskGradient($0, distillationBackward($0["z"], teacher: $0["z0"])) },
      Step(
        "p", 2, "P = ½ (1 + sgn(a) (a + b) / (|a| + |b| + ε)), ε = 1e-8", "R-AMT eq. 7",
        from: ["a", "b_grad"],
        mistakes: [
          (
            "the sign of a is missing",
            { $0["a"].zip($0["b_grad"]) { keepProbability(abs($0), $1) } }
          )
        ]
      ) { $0["a"].zip($0["b_grad"], keepProbability) },
      Step("keep", 2, "1[P > U]", "R-AMT eq. 7", from: ["p", "u"]) {
        $0["p"].indicator($0["u"], >)
      },
      Step(
        "g", 2, "g = ((1 − λ) + λ 1[P > U]) a", "R-AMT eq. 7", from: ["a", "keep", "lam"],
        mistakes: [("λ and 1 − λ are exchanged", { applied($0, 1 - $0.number("lam")) })]
      ) { applied($0, $0.number("lam")) },
      Step(
        "m_new", 2, "M ← M − η m̂ / (√v̂ + ε), Adam's first step with g", "R-AMT (g)",
        from: ["m", "g"],
        mistakes: [
          ("the step goes uphill: + in place of −", { updated($0, learningRate: -8e-5) }),
          (
            "the moments are not corrected (biased)",
            { values in
              let change = values["g"].map {
                8e-5 * 0.1 * $0 / ((0.001 * $0 * $0).squareRoot() + 1e-8)
              }
              return values["m"].zip(change) { $0 - $1 }
            }
          ),
        ]
      ) { updated($0, learningRate: 8e-5) },
    ])

  private static func crossEntropy(of values: ExerciseValues) -> Double {
    Reference.crossEntropy(values["z"], labels: values.labels("y", below: values["z"].columns))
  }

  private static func crossEntropyGradient(_ values: ExerciseValues) -> Matrix {
    crossEntropyBackward(values["z"], labels: values.labels("y", below: values["z"].columns))
  }

  /// ∂M for a gradient of the logits.
  private static func maskGradient(_ values: ExerciseValues, _ dLogits: Matrix) -> Matrix {
    let d = clipLogitsBackward(
      dLogits, features: values["f"], classifier: values["t"], logitScale: values.number("log_s"))
    return maskedBackward(
      linearBackward(d.features, x: values["x"], weight: values["w"]).weight, weight: values["w"])
  }

  /// a, with a gradient of the norm.
  private static func withNorm(_ values: ExerciseValues, _ gradient: (Double, Double) -> Double)
    -> Matrix
  {
    let norm = values.number("norm")
    return maskGradient(values, crossEntropyGradient(values)).zip(values["m"]) {
      $0 + 1e-4 * gradient($1, norm)
    }
  }

  private static func updated(_ values: ExerciseValues, learningRate: Double) -> Matrix {
    var (m, moments) = (values["m"], Moments(like: values["m"]))
    adamStep(&m, gradient: values["g"], moments: &moments, learningRate: learningRate)
    return m
  }
}
