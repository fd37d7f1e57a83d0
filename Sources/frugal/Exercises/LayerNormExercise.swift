import Foundation
import Reference

extension Exercise {
  /// Layer normalisation and its gradients.
  static let layerNorm = Exercise(
    name: "layer-norm", title: "LayerNorm and its gradient",
    introduction: """
      Layer normalisation gives every row mean 0 and variance 1, then scales and shifts the columns. ε = 1e-5 is added to
      the variance, under the root. The variance divides by the width n, not by n − 1.
      """,
    inputs: [
      Input("x", 2, "one row per token"), Input("gamma", 1, "γ, one number per column"),
      Input("beta", 1, "β, one number per column"), Input("d_y", 2, "∂L/∂y"),
    ],
    make: { draws, size in
      let (rows, width) = size == .own ? (4, 6) : (3, 8)
      // Small rows, so that ε shows.
      return [
        "x": draws.matrix(rows, width, scale: 0.0625), "gamma": draws.matrix(1, width, scale: 2),
        "beta": draws.matrix(1, width), "d_y": draws.matrix(rows, width),
      ]
    },
    steps: [
      Step("mean", 1, "mean x of every row", "Ba et al. 2016", from: ["x"]) { mean($0["x"]) },
      Step(
        "variance", 1, "var x = (1/n) Σ (x − mean x)² of every row", "Ba et al. 2016",
        from: ["x", "mean"],
        mistakes: [
          (
            "divided by n − 1 in place of n",
            { values in
              let n = Double(values["x"].columns)
              return variance(values).map { $0 * n / (n - 1) }
            }
          ),
          (
            "the mean is not subtracted",
            { $0["x"].rowwise { $0.reduce(0) { $0 + $1 * $1 } / Double($0.count) } }
          ),
          (
            "the standard deviation in place of the variance",
            { variance($0).map { $0.squareRoot() } }
          ),
        ]
      ) { variance($0) },
      Step(
        "x_hat", 2, "x̂ = (x − mean x) / √(var x + ε)", "Ba et al. 2016",
        from: ["x", "mean", "variance"],
        mistakes: [
          ("ε is missing", { normalized($0) { $0.squareRoot() } }),
          (
            "ε is added to the root in place of the variance",
            { normalized($0) { $0.squareRoot() + 1e-5 } }
          ),
          ("ε = 1e-6 in place of 1e-5", { normalized($0) { ($0 + 1e-6).squareRoot() } }),
          ("ε = 1e-8 in place of 1e-5", { normalized($0) { ($0 + 1e-8).squareRoot() } }),
          ("divided by the variance in place of its root", { normalized($0) { $0 + 1e-5 } }),
        ]
      ) { normalized($0) { ($0 + 1e-5).squareRoot() } },
      Step(
        "y", 2, "y = γ x̂ + β", "Ba et al. 2016", from: ["x_hat", "gamma", "beta"],
        mistakes: [("β is missing", { scaled($0["x_hat"], by: $0["gamma"]) })]
      ) { values in
        let y = scaled(values["x_hat"], by: values["gamma"])
        return Matrix(
          y.rows, y.columns,
          y.values.indices.map { y.values[$0] + values["beta"].values[$0 % y.columns] })
      },
      Step("d_gamma", 1, "∂γ = Σ_rows ∂y x̂", "Ba et al. 2016", from: ["d_y", "x_hat"]) {
        columnSums($0["d_y"].zip($0["x_hat"]) { $0 * $1 })
      },
      Step("d_beta", 1, "∂β = Σ_rows ∂y", "Ba et al. 2016", from: ["d_y"]) {
        columnSums($0["d_y"])
      },
      Step(
        "d_x", 2, "∂x = (g − mean g − x̂ mean(g x̂)) / √(var x + ε), g = γ ∂y", "Ba et al. 2016",
        from: ["d_y", "gamma", "x_hat", "variance"],
        mistakes: [
          (
            "mean and variance are taken for constants",
            { gradient($0, hasMean: false, hasVariance: false) }
          ),
          ("the mean is taken for a constant", { gradient($0, hasMean: false) }),
          ("the variance is taken for a constant", { gradient($0, hasVariance: false) }),
        ]
      ) { gradient($0) },
    ])

  private static func mean(_ x: Matrix) -> Matrix {
    x.rowwise { $0.reduce(0, +) / Double($0.count) }
  }

  private static func variance(_ values: ExerciseValues) -> Matrix {
    let (x, mean) = (values["x"], values["mean"])
    return Matrix(
      row: (0..<x.rows).map { row in
        x.row(row).reduce(0) { $0 + ($1 - mean.values[row]) * ($1 - mean.values[row]) }
          / Double(x.columns)
      })
  }

  private static func normalized(_ values: ExerciseValues, deviation: (Double) -> Double) -> Matrix {
    let (x, mean, variance) = (values["x"], values["mean"].values, values["variance"].values)
    return Matrix(
      x.rows, x.columns,
      x.values.indices.map {
        (x.values[$0] - mean[$0 / x.columns]) / deviation(variance[$0 / x.columns])
      })
  }

  /// Every column times a number.
  private static func scaled(_ x: Matrix, by factors: Matrix) -> Matrix {
    Matrix(
      x.rows, x.columns, x.values.indices.map { x.values[$0] * factors.values[$0 % x.columns] })
  }

  private static func columnSums(_ x: Matrix) -> Matrix { x.transposed.rowwise { $0.reduce(0, +) } }

  private static func gradient(
    _ values: ExerciseValues, hasMean: Bool = true, hasVariance: Bool = true
  ) -> Matrix {
    let (g, normal) = (scaled(values["d_y"], by: values["gamma"]), values["x_hat"])
    let (means, products) = (mean(g).values, mean(g.zip(normal) { $0 * $1 }).values)
    return Matrix(
      g.rows, g.columns,
      g.values.indices.map { index in
        let row = index / g.columns
        let inner = g.values[index] - (hasMean ? means[row] : 0)
        let along = hasVariance ? normal.values[index] * products[row] : 0
        return (inner - along) / (values["variance"].values[row] + 1e-5).squareRoot()
      })
  }
}
