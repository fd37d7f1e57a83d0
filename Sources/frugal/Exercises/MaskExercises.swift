import Foundation
import Reference

extension Exercise {
  /// A binary mask and its straight-through gradient.
  static let straightThrough = Exercise(
    name: "straight-through", title: "A mask and its straight-through gradient",
    introduction: """
      Every weight W of a linear map has a real number M; the weight is used where M is larger than α = 5e-3. The step
      from M to the binary mask B has no slope, so the gradient of B is handed to M: the straight-through estimator.
      """,
    inputs: [
      Input("w", 2, "W, the weight: [out, in]"), Input("m", 2, "M, the real mask"),
      Input("alpha", 0, "α"),
      Input("x", 2, "the input, one row per image"), Input("d_y", 2, "∂L/∂y"),
    ],
    make: { draws, size in
      let (images, width, out) = size == .own ? (4, 5, 3) : (3, 4, 5)
      return [
        "w": draws.matrix(out, width), "m": mask(&draws, out, width),
        "alpha": .number(maskThreshold),
        "x": draws.matrix(images, width), "d_y": draws.matrix(images, out),
      ]
    },
    steps: [
      binaryMask,
      Step(
        "w_masked", 2, "W' = W ⊙ B", "R-AMT (c)", from: ["w", "b"],
        mistakes: [
          ("the real mask in place of the binary one", { $0["w"].zip($0["m"]) { $0 * $1 } })
        ]
      ) { $0["w"].zip($0["b"]) { $0 * $1 } },
      Step("y", 2, "y = x W'ᵀ", "R-AMT (c)", from: ["x", "w_masked"]) {
        linear($0["x"], weight: $0["w_masked"])
      },
      Step("d_w_masked", 2, "∂L/∂W' = ∂yᵀ x", "R-AMT (d)", from: ["d_y", "x"]) {
        linear($0["d_y"].transposed, weight: $0["x"].transposed)
      },
      Step(
        "d_m", 2, "∂L/∂M := ∂L/∂B = ∂L/∂W' ⊙ W", "R-AMT (d)", from: ["d_w_masked", "w"],
        mistakes: [
          ("the gradient of the weight: the factor W is missing", { $0["d_w_masked"] }),
          (
            "dropped weights get no gradient: W' in place of W",
            { values in
              let kept = values["m"].map { $0 > values.number("alpha") ? 1.0 : 0 }
              return maskedBackward(values["d_w_masked"], weight: values["w"]).zip(kept) { $0 * $1 }
            }
          ),
        ]
      ) { maskedBackward($0["d_w_masked"], weight: $0["w"]) },
    ])

  /// Gradient dropout.
  static let gradientDropout = Exercise(
    name: "gradient-dropout", title: "Gradient dropout",
    introduction: """
      A mask gets two gradients: a of the loss that is to fall, b of the distance to the untuned model. Where they
      disagree, a is applied with a smaller probability. The uniform random numbers U are given.
      """,
    inputs: [
      Input("a", 2, "∂L_a/∂M"), Input("b", 2, "∂L_b/∂M"), Input("u", 2, "U, uniform in [0, 1)"),
      Input("lam", 0, "λ"),
    ],
    make: { draws, size in
      let (rows, columns) = size == .own ? (4, 6) : (3, 5)
      var (a, b, u) = (
        draws.matrix(rows, columns), draws.matrix(rows, columns), draws.uniform(rows, columns)
      )
      // No gradient at all: P = ½, and U = ½ shows whether P = U keeps.
      (a.values[1], b.values[1], u.values[1]) = (0, 0.25, 0.5)
      // So small that ε decides.
      (a.values[2], b.values[2]) = (0x1p-28, 0x1p-27)
      (a.values[3], b.values[3]) = (-0x1p-28, 0x1p-29)
      return ["a": a, "b": b, "u": u, "lam": .number(0.25)]
    },
    steps: keepSteps + [
      Step(
        "g", 2, "g = ((1 − λ) + λ 1[P > U]) a", "R-AMT eq. 7", from: ["a", "keep", "lam"],
        mistakes: [
          ("λ and 1 − λ are exchanged", { applied($0, 1 - $0.number("lam")) }),
          ("what is dropped gets 0 whatever λ is", { applied($0, 1) }),
        ]
      ) { applied($0, $0.number("lam")) }
    ])

  /// Masks around α, one of them α itself.
  static func mask(_ draws: inout ExerciseDraws, _ rows: Int, _ columns: Int) -> Matrix {
    var mask = draws.matrix(rows, columns).map { maskThreshold + 0x1p-7 * $0 }
    mask.values[1] = maskThreshold
    return mask
  }

  /// B = 1[M > α].
  static let binaryMask = Step(
    "b", 2, "B = 1[M > α], 1 where M is larger and else 0", "R-AMT (c)", from: ["m", "alpha"],
    mistakes: [
      (
        "M ≥ α in place of M > α",
        { values in values["m"].map { $0 >= values.number("alpha") ? 1 : 0 } }
      ),
      (
        "M < α in place of M > α",
        { values in values["m"].map { $0 < values.number("alpha") ? 1 : 0 } }
      ),
      ("M > 0 in place of M > α", { values in values["m"].map { $0 > 0 ? 1 : 0 } }),
    ]
  ) { values in values["m"].map { $0 > values.number("alpha") ? 1 : 0 } }

  /// P and 1[P > U].
  static let keepSteps = [
    Step(
      "p", 2, "P = ½ (1 + sgn(a) (a + b) / (|a| + |b| + ε)), ε = 1e-8, sgn(0) = 0", "R-AMT eq. 7",
      from: ["a", "b"],
      mistakes: [
        (
          "ε is missing",
          { $0["a"].zip($0["b"]) { a, b in probability(a, b, sign: sign(a), epsilon: 0) } }
        ),
        (
          "sgn(0) = 1", { $0["a"].zip($0["b"]) { a, b in probability(a, b, sign: a < 0 ? -1 : 1) } }
        ),
        (
          "the sign of b in place of that of a",
          { $0["a"].zip($0["b"]) { a, b in probability(a, b, sign: sign(b)) } }
        ),
        (
          "the sign of a is missing",
          { $0["a"].zip($0["b"]) { a, b in probability(a, b, sign: 1) } }
        ),
        (
          "the factor ½ (1 + …) is missing",
          { $0["a"].zip($0["b"]) { 2 * keepProbability($0, $1) - 1 } }
        ),
      ]
    ) { $0["a"].zip($0["b"], keepProbability) },
    Step(
      "keep", 2, "1[P > U]", "R-AMT eq. 7", from: ["p", "u"],
      mistakes: [
        ("P ≥ U in place of P > U", { $0["p"].indicator($0["u"], >=) }),
        ("P < U in place of P > U", { $0["p"].indicator($0["u"], <) }),
        ("P > ½ in place of P > U", { $0["p"].map { $0 > 0.5 ? 1 : 0 } }),
      ]
    ) { $0["p"].indicator($0["u"], >) },
  ]

  private static func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }

  private static func probability(_ a: Double, _ b: Double, sign: Double, epsilon: Double = 1e-8)
    -> Double
  {
    let size = abs(a) + abs(b) + epsilon
    return 0.5 * (1 + (size > 0 ? sign * (a + b) / size : 0))
  }

  /// ((1 − λ) + λ keep) a
  static func applied(_ values: ExerciseValues, _ lambda: Double) -> Matrix {
    values["a"].zip(values["keep"]) { ((1 - lambda) + lambda * $1) * $0 }
  }
}
