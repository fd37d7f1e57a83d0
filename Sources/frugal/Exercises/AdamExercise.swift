import Foundation
import Reference

extension Exercise {
  /// Two steps of Adam.
  static let adam = Exercise(
    name: "adam", title: "Two steps of Adam",
    introduction: """
      Adam keeps the mean m of recent gradients and the mean v of their squares, both 0 at first and corrected for that.
      β₁ = 0.9, β₂ = 0.999, ε = 1e-8, learning rate η = 0.01, no weight decay. Two steps, with gradients g1 and g2.
      """,
    inputs: [
      Input("theta", 2, "θ, the parameters before the first step"),
      Input("g1", 2, "the gradient of step 1"),
      Input("g2", 2, "the gradient of step 2"),
    ],
    make: { draws, size in
      let (rows, columns) = size == .own ? (3, 4) : (2, 5)
      var tensors = ["theta": draws.matrix(rows, columns)]
      for name in ["g1", "g2"] {
        // A few gradients so small that ε matters.
        var g = draws.matrix(rows, columns)
        for index in stride(from: 0, to: g.count, by: 3) {
          g.values[index] = 0x1p-27 * (g.values[index] < 0 ? -1 : 1)
        }
        tensors[name] = g
      }
      return tensors
    },
    steps: [
      Step("m1", 2, "m ← β₁ m + (1 − β₁) g, m = 0 before", "R-AMT (g)", from: ["g1"]) {
        first(nil, $0["g1"])
      },
      Step(
        "v1", 2, "v ← β₂ v + (1 − β₂) g², v = 0 before", "R-AMT (g)", from: ["g1"],
        mistakes: [("g in place of g²", { $0["g1"].map { (1 - 0.999) * $0 } })]
      ) { second(nil, $0["g1"]) },
      parameters("theta1", step: 1, from: "theta"),
      Step(
        "m2", 2, "m ← β₁ m + (1 − β₁) g", "R-AMT (g)", from: ["m1", "g2"],
        mistakes: [("m is forgotten between the steps", { first(nil, $0["g2"]) })]
      ) { first($0["m1"], $0["g2"]) },
      Step(
        "v2", 2, "v ← β₂ v + (1 − β₂) g²", "R-AMT (g)", from: ["v1", "g2"],
        mistakes: [("v is forgotten between the steps", { second(nil, $0["g2"]) })]
      ) { second($0["v1"], $0["g2"]) },
      parameters("theta2", step: 2, from: "theta1"),
    ])

  private static func first(_ m: Matrix?, _ g: Matrix) -> Matrix {
    (m ?? Matrix(g.rows, g.columns)).zip(g) { 0.9 * $0 + (1 - 0.9) * $1 }
  }

  private static func second(_ v: Matrix?, _ g: Matrix) -> Matrix {
    (v ?? Matrix(g.rows, g.columns)).zip(g) { 0.999 * $0 + (1 - 0.999) * $1 * $1 }
  }

  /// The parameters after a step.
  private static func parameters(_ name: String, step: Int, from before: String) -> Step {
    /// θ − η m̂ / divisor(v̂), with t for the correction of the moments; `nil` for none.
    @Sendable func updated(
      _ values: ExerciseValues, _ first: Int?, _ second: Int?, sign: Double = 1,
      _ divisor: (Double) -> Double
    ) -> Matrix {
      let (m, v) = (values["m\(step)"], values["v\(step)"])
      let one = first.map { 1 - pow(0.9, Double($0)) } ?? 1
      let two = second.map { 1 - pow(0.999, Double($0)) } ?? 1
      let change = m.zip(v) { sign * 0.01 * ($0 / one) / divisor($1 / two) }
      return values[before].zip(change) { $0 - $1 }
    }
    return Step(
      name, 2, "θ ← θ − η m̂ / (√v̂ + ε), m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ), t = \(step)",
      "R-AMT (g)",
      from: [before, "m\(step)", "v\(step)"],
      mistakes: [
        (
          "the moments are not corrected (biased)",
          { updated($0, nil, nil) { $0.squareRoot() + 1e-8 } }
        ),
        ("only m is corrected", { updated($0, step, nil) { $0.squareRoot() + 1e-8 } }),
        ("only v is corrected", { updated($0, nil, step) { $0.squareRoot() + 1e-8 } }),
        ("ε is missing", { updated($0, step, step) { $0.squareRoot() } }),
        ("ε is added under the root", { updated($0, step, step) { ($0 + 1e-8).squareRoot() } }),
        (
          "the step goes uphill: + in place of −",
          { updated($0, step, step, sign: -1) { $0.squareRoot() + 1e-8 } }
        ),
        (
          "t begins at 0 or is one too large",
          { updated($0, step + 1, step + 1) { $0.squareRoot() + 1e-8 } }
        ),
        ("divided by v̂ in place of its root", { updated($0, step, step) { $0 + 1e-8 } }),
      ]
    ) { updated($0, step, step) { $0.squareRoot() + 1e-8 } }
  }
}
