import Foundation
import Reference

extension Exercise {
  /// CLIP's classifier of texts, without training.
  static let zeroShot = Exercise(
    name: "zero-shot", title: "Zero-shot classifier",
    introduction: """
      CLIP classifies images with no training at all: the features of a text for every class are the classifier. With two
      templates per class, the classifier is the mean of their raw features. Given is log s, the logarithm of the scale.
      """,
    inputs: [
      Input("f", 2, "image features, one row per image"),
      Input("texts", 2, "text features: the two templates of class 0, then those of class 1, …"),
      Input("log_s", 0, "log s"), Input("y", 1, "the class of every image"),
    ],
    make: { draws, size in
      let (images, classes, width) = size == .own ? (5, 4, 6) : (4, 3, 5)
      return [
        "f": draws.matrix(images, width, scale: 2),
        "texts": draws.matrix(2 * classes, width, scale: 4),
        "log_s": .number(1.5), "y": draws.labels(images, below: classes),
      ]
    },
    steps: [
      Step(
        "t", 2, "t_c = the mean of the features of the templates of class c", "TaskRes (a)",
        from: ["texts"],
        mistakes: [
          (
            "the features are normalised before the mean",
            { meanOverTemplates(normalizedRows($0["texts"]), templates: 2) }
          ),
          (
            "the templates of another class: rows are taken template by template",
            { interleaved($0["texts"]) }
          ),
        ]
      ) { meanOverTemplates($0["texts"], templates: 2) },
      Step(
        "z", 2, "z_ic = s ⟨f_i / ‖f_i‖, t_c / ‖t_c‖⟩, s = exp(log s)", "TaskRes (c)",
        from: ["f", "t", "log_s"],
        mistakes: logitMistakes("t")
      ) { logits($0, "t") },
      Step(
        "prediction", 1, "the class with the largest z, from 0", "TaskRes (c)", from: ["z"],
        mistakes: [("the class with the smallest z", { prediction($0["z"].map { -$0 }) })]
      ) { prediction($0["z"]) },
      Step(
        "accuracy", 0, "the share of images whose prediction is y", "TaskRes (c)",
        from: ["prediction", "y"]
      ) {
        let hits = $0["prediction"].zip($0["y"]) { $0 == $1 ? 1 : 0 }
        return .number(hits.values.reduce(0, +) / Double(hits.count))
      },
    ])

  /// One step of TaskRes.
  static let taskRes = Exercise(
    name: "task-res", title: "A step of TaskRes",
    introduction: """
      TaskRes keeps the text features t and learns a residual x on them. α = 0.5, learning rate η = 2e-3, weight decay
      5e-4, which is added to the gradient. The step is Adam's first (β₁ = 0.9, β₂ = 0.999, ε = 1e-8, moments 0 before).
      """,
    inputs: [
      Input("t", 2, "text features, one row per class"),
      Input("x", 2, "the residual before the step"),
      Input("f", 2, "image features, one row per image"), Input("log_s", 0, "log s"),
      Input("y", 1, "the class of every image"),
    ],
    make: { draws, size in
      let (images, classes, width) = size == .own ? (5, 3, 6) : (4, 4, 5)
      return [
        "t": draws.matrix(classes, width, scale: 2), "x": draws.matrix(classes, width, scale: 0.5),
        "f": draws.matrix(images, width, scale: 2), "log_s": .number(1.25),
        "y": draws.labels(images, below: classes),
      ]
    },
    steps: [
      Step(
        "t_new", 2, "t'_c = t_c + α x_c", "TaskRes (b)", from: ["t", "x"],
        mistakes: [
          ("α is missing", { residualClassifier($0["t"], residual: $0["x"], alpha: 1) }),
          (
            "t is normalised",
            { residualClassifier(normalizedRows($0["t"]), residual: $0["x"], alpha: 0.5) }
          ),
        ]
      ) { residualClassifier($0["t"], residual: $0["x"], alpha: 0.5) },
      Step(
        "z", 2, "z_ic = s ⟨f_i / ‖f_i‖, t'_c / ‖t'_c‖⟩, s = exp(log s)", "TaskRes (c)",
        from: ["f", "t_new", "log_s"],
        mistakes: logitMistakes("t_new")
      ) { logits($0, "t_new") },
      Step("loss", 0, "L = −(1/n) Σ_i log softmax(z_i)[y_i]", "TaskRes (d)", from: ["z", "y"]) {
        .number(Reference.crossEntropy($0["z"], labels: $0.labels("y", below: $0["z"].columns)))
      },
      Step(
        "d_z", 2, "∂L/∂z_i[c] = (softmax(z_i)[c] − 1[c = y_i]) / n", "TaskRes (d)",
        from: ["z", "y"],
        mistakes: [
          (
            "not divided by the number of images",
            { values in
              logitGradient(values).map { $0 * Double(values["z"].rows) }
            }
          )
        ]
      ) { logitGradient($0) },
      Step(
        "d_t", 2, "∂L/∂t'_c = (∂u_c − u_c ⟨u_c, ∂u_c⟩) / ‖t'_c‖, u = t' / ‖t'‖, ∂u = s ∂zᵀ f / ‖f‖",
        "TaskRes (g)",
        from: ["d_z", "f", "t_new", "log_s"],
        mistakes: [
          (
            "the gradient of the norm is missing: ∂u / ‖t'‖",
            { values in
              let t = values["t_new"]
              return unitGradient(values).zip(norms(of: t)) { $0 / $1 }
            }
          ),
          ("∂u: the gradient of u = t' / ‖t'‖ is missing", { unitGradient($0) }),
        ]
      ) { normalizedRowsBackward(unitGradient($0), x: $0["t_new"]) },
      Step(
        "d_x", 2, "∂L/∂x_c = α ∂L/∂t'_c", "TaskRes (g)", from: ["d_t"],
        mistakes: [("α is missing", { $0["d_t"] })]
      ) { $0["d_t"].map { 0.5 * $0 } },
      Step(
        "g", 2, "g = ∂L/∂x + 5e-4 x", "TaskRes (e)", from: ["x", "d_x"],
        mistakes: [
          ("the weight decay is missing", { $0["d_x"] }),
          ("the weight decay is subtracted", { $0["d_x"].zip($0["x"]) { $0 - 5e-4 * $1 } }),
        ]
      ) { $0["d_x"].zip($0["x"]) { $0 + 5e-4 * $1 } },
      Step(
        "x_new", 2, "x ← x − η m̂ / (√v̂ + ε), Adam's first step with g", "TaskRes (e)",
        from: ["x", "g"],
        mistakes: [
          ("a step of plain gradient descent", { $0["x"].zip($0["g"]) { $0 - 2e-3 * $1 } }),
          ("the step goes uphill: + in place of −", { updated($0, learningRate: -2e-3) }),
          (
            "the moments are not corrected (biased)",
            { values in
              let change = values["g"].map {
                2e-3 * 0.1 * $0 / ((0.001 * $0 * $0).squareRoot() + 1e-8)
              }
              return values["x"].zip(change) { $0 - $1 }
            }
          ),
        ]
      ) { updated($0, learningRate: 2e-3) },
    ])

  private static func logits(_ values: ExerciseValues, _ classifier: String) -> Matrix {
    clipLogits(
      features: values["f"], classifier: values[classifier], logitScale: values.number("log_s"))
  }

  private static func logitMistakes(
    _ classifier: String
  ) -> [(cause: String, calculate: @Sendable (ExerciseValues) -> Matrix)] {
    [
      (
        "s = log s: the exponential is missing",
        { values in
          let log = values.number("log_s")
          return logits(values, classifier).map { $0 / exp(log) * log }
        }
      ),
      (
        "the features are not normalised",
        { values in
          let plain = linear(values["f"], weight: normalizedRows(values[classifier]))
          return plain.map { $0 * exp(values.number("log_s")) }
        }
      ),
      (
        "the classifier is not normalised",
        { values in
          let plain = linear(normalizedRows(values["f"]), weight: values[classifier])
          return plain.map { $0 * exp(values.number("log_s")) }
        }
      ),
      (
        "neither features nor classifier are normalised",
        { values in
          linear(values["f"], weight: values[classifier]).map { $0 * exp(values.number("log_s")) }
        }
      ),
      (
        "divided by s in place of times s",
        { values in
          logits(values, classifier).map { $0 / exp(2 * values.number("log_s")) }
        }
      ),
    ]
  }

  private static func prediction(_ z: Matrix) -> Matrix {
    z.rowwise { row in Double(row.indices.max { row[$0] < row[$1] } ?? 0) }
  }

  /// The mean of row c and row c + classes.
  private static func interleaved(_ texts: Matrix) -> Matrix {
    let half = texts.count / 2
    return Matrix(
      texts.rows / 2, texts.columns,
      (0..<half).map { (texts.values[$0] + texts.values[$0 + half]) / 2 })
  }

  private static func logitGradient(_ values: ExerciseValues) -> Matrix {
    crossEntropyBackward(values["z"], labels: values.labels("y", below: values["z"].columns))
  }

  /// ∂u
  private static func unitGradient(_ values: ExerciseValues) -> Matrix {
    let scale = exp(values.number("log_s"))
    let product = linear(values["d_z"].transposed, weight: normalizedRows(values["f"]).transposed)
    return product.map { scale * $0 }
  }

  /// The norm of its row for every element.
  private static func norms(of x: Matrix) -> Matrix {
    let norms = x.rowwise { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    return Matrix(x.rows, x.columns, x.values.indices.map { norms.values[$0 / x.columns] })
  }

  private static func updated(_ values: ExerciseValues, learningRate: Double) -> Matrix {
    var (x, moments) = (values["x"], Moments(like: values["x"]))
    adamStep(&x, gradient: values["g"], moments: &moments, learningRate: learningRate)
    return x
  }
}
