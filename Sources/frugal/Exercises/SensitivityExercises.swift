import Foundation
import Reference

extension Exercise {
  /// Sensitivities of a linear head.
  static let sensitivity = Exercise(
    name: "sensitivity", title: "Sensitivity",
    introduction: """
      SPT ranks parameters by what a gradient step on each alone would gain, the squared gradient, summed over images one
      by one (batches of one image). Here for a linear head with weight V and bias c on given features f.
      """,
    inputs: [
      Input("f", 2, "features, one row per image"), Input("v", 2, "V: [classes, width]"),
      Input("c", 1, "the bias"),
      Input("y", 1, "the class of every image"),
    ],
    make: { draws, size in
      let (images, classes, width) = size == .own ? (5, 3, 4) : (4, 4, 3)
      return [
        "f": draws.matrix(images, width, scale: 2), "v": draws.matrix(classes, width),
        "c": draws.matrix(1, classes),
        "y": draws.labels(images, below: classes),
      ]
    },
    steps: [
      Step(
        "z", 2, "z = f Vᵀ + c", "SPT (b)", from: ["f", "v", "c"],
        mistakes: [
          ("the bias is missing", { linear($0["f"], weight: $0["v"]) })
        ]
      ) { linear($0["f"], weight: $0["v"], bias: $0["c"]) },
      Step(
        "d_z", 2, "∂L_i/∂z_i = softmax(z_i) − 1[c = y_i], each image by itself", "SPT (b)",
        from: ["z", "y"],
        mistakes: [
          (
            "divided by the number of images, which belong to batches of one",
            { values in
              imageGradients(values).map { $0 / Double(values["z"].rows) }
            }
          )
        ]
      ) { imageGradients($0) },
      Step("g_first", 2, "∂L/∂V of the first image", "SPT (a)", from: ["d_z", "f"]) {
        gradient($0, image: 0)
      },
      Step(
        "s_v", 2, "S = Σ_i (∂L_i/∂V)²", "SPT (b)", from: ["d_z", "f"],
        mistakes: [
          (
            "the square of the sum in place of the sum of squares",
            { values in
              sum(values) { $0 }.map { $0 * $0 }
            }
          ),
          ("the absolute value in place of the square", { sum($0) { abs($0) } }),
          (
            "the mean over the images in place of their sum",
            { values in
              sum(values) { $0 * $0 }.map { $0 / Double(values["f"].rows) }
            }
          ),
        ]
      ) { sum($0) { $0 * $0 } },
      Step(
        "s_c", 1, "S of the bias: Σ_i (∂L_i/∂c)²", "SPT (b)", from: ["d_z"],
        mistakes: [
          (
            "the square of the sum in place of the sum of squares",
            { values in
              values["d_z"].transposed.rowwise { $0.reduce(0, +) * $0.reduce(0, +) }
            }
          )
        ]
      ) { $0["d_z"].transposed.rowwise { $0.reduce(0) { $0 + $1 * $1 } } },
    ])

  /// The allocation of a budget.
  static let allocation = Exercise(
    name: "allocation", title: "Allocation under a budget",
    introduction: """
      Given the sensitivities of two matrices and a bias, SPT tunes the τ most sensitive entries of all three: a matrix
      with enough of them gets a low-rank module (LoRA of rank r), a vector is tuned whole, other entries singly.
      Tensors count in the order q, b, u, their entries row by row; equal entries keep this order.
      """,
    inputs: [
      Input("s_q", 2, "S of a matrix: [out, in]"), Input("s_b", 1, "S of its bias"),
      Input("s_u", 2, "S of another matrix"), Input("tau", 0, "τ"),
      Input("r", 0, "r, the rank of a module"),
      Input("alpha", 0, "α"), Input("beta", 0, "β"),
    ],
    make: { draws, size in
      let (out, width) = size == .own ? (4, 5) : (3, 4)
      // Few values, so that some are equal; and the second matrix less sensitive.
      func scores(_ rows: Int, _ columns: Int, _ scale: Double) -> Matrix {
        draws.uniform(rows, columns).map { ($0 * 16).rounded(.down) / 8 * scale }
      }
      return [
        "s_q": scores(out, width, 1), "s_b": scores(1, out, 0.75), "s_u": scores(width, out, 0.5),
        "tau": .number(size == .own ? 13 : 9), "r": .number(1), "alpha": .number(2),
        "beta": .number(3),
      ]
    },
    steps: [
      Step(
        "order", 1, "the positions of the τ largest S in q, b, u one after another, from 0",
        "SPT (d)",
        from: ["s_q", "s_b", "s_u", "tau"],
        mistakes: [
          ("equal entries in reverse order", { order($0) { $0 != $2 ? $0 > $2 : $1 > $3 } }),
          ("the smallest in place of the largest", { order($0) { $0 != $2 ? $0 < $2 : $1 < $3 } }),
        ]
      ) { order($0) { $0 != $2 ? $0 > $2 : $1 < $3 } },
      Step(
        "n", 1, "the number of entries among them in q, b and u", "SPT (f)",
        from: ["order", "s_q", "s_b", "s_u"]
      ) {
        counts($0)
      },
      Step(
        "whole", 1,
        "1 for a matrix with n ≥ r (in + out) / α and a vector with n ≥ length / β, else 0",
        "SPT (f) and (g)", from: ["n", "s_q", "s_b", "s_u", "r", "alpha", "beta"],
        mistakes: [
          (
            "without α and β: n ≥ cost",
            { values in
              Matrix(row: zip(values["n"].values, costs(values)).map { $0 >= $1 ? 1 : 0 })
            }
          ),
          ("the other way round: 1 where n is too small", { wholes($0).map { 1 - $0 } }),
        ]
      ) { wholes($0) },
      Step(
        "trained", 1, "what each trains: r (in + out), the length, or n entries", "SPT (h)",
        from: ["whole", "n", "s_q", "s_b", "s_u", "r"],
        mistakes: [
          (
            "a module costs the whole matrix",
            { values in
              let sizes = ["s_q", "s_b", "s_u"].map { Double(values[$0].count) }
              return Matrix(
                row: (0..<3).map {
                  values["whole"].values[$0] > 0.5 ? sizes[$0] : values["n"].values[$0]
                })
            }
          )
        ]
      ) { trained($0) },
      Step("total", 0, "the sum of what is trained", "SPT (h)", from: ["trained"]) {
        .number($0["trained"].values.reduce(0, +))
      },
    ])

  private static func imageGradients(_ values: ExerciseValues) -> Matrix {
    softmax(values["z"]).subtractingLabels(values.labels("y", below: values["z"].columns))
  }

  private static func gradient(_ values: ExerciseValues, image: Int) -> Matrix {
    let (d, f) = (values["d_z"].row(image), values["f"].row(image))
    return Matrix(d.count, f.count, d.flatMap { d in f.map { d * $0 } })
  }

  private static func sum(_ values: ExerciseValues, _ function: (Double) -> Double) -> Matrix {
    (0..<values["f"].rows).map { gradient(values, image: $0).map(function) }.reduce(
      Matrix(values["d_z"].columns, values["f"].columns), +)
  }

  /// The first τ positions in an order of (score, position) pairs.
  private static func order(
    _ values: ExerciseValues, _ isBefore: (Double, Int, Double, Int) -> Bool
  ) -> Matrix {
    let all = ["s_q", "s_b", "s_u"].flatMap { values[$0].values }
    let count = max(0, min(Double(all.count), values.number("tau")))
    let sorted = all.indices.sorted { $0 != $1 && isBefore(all[$0], $0, all[$1], $1) }
    return Matrix(row: sorted.prefix(Int(count)).map { Double($0) })
  }

  private static func counts(_ values: ExerciseValues) -> Matrix {
    let (q, b) = (Double(values["s_q"].count), Double(values["s_b"].count))
    let positions = values["order"].values
    return Matrix(row: [
      Double(positions.count { $0 < q }), Double(positions.count { $0 >= q && $0 < q + b }),
      Double(positions.count { $0 >= q + b }),
    ])
  }

  /// r (in + out) of a matrix, the length of the vector.
  private static func costs(_ values: ExerciseValues) -> [Double] {
    let (q, u, r) = (values["s_q"], values["s_u"], values.number("r"))
    return [
      r * Double(q.rows + q.columns), Double(values["s_b"].count), r * Double(u.rows + u.columns),
    ]
  }

  private static func wholes(_ values: ExerciseValues) -> Matrix {
    let (alpha, beta) = (values.number("alpha"), values.number("beta"))
    let needed = zip(costs(values), [alpha, beta, alpha]).map { $0 / $1 }
    return Matrix(row: zip(values["n"].values, needed).map { $0 >= $1 ? 1 : 0 })
  }

  private static func trained(_ values: ExerciseValues) -> Matrix {
    let costs = costs(values)
    return Matrix(
      row: (0..<3).map { values["whole"].values[$0] > 0.5 ? costs[$0] : values["n"].values[$0] })
  }
}
