import Foundation
import Reference

extension Exercise {
  /// Attention in two heads, forward.
  static let attention = Exercise(
    name: "attention", title: "Attention, forward",
    introduction: """
      Scaled dot-product attention of one sequence in two heads. The columns are divided into halves: the first half of
      queries, keys and values belongs to head 0, the second to head 1, and d is the width of a head. Scores and
      probabilities of both heads are stacked: first all rows of head 0, then those of head 1.
      """,
    inputs: attentionInputs,
    make: { draws, size in attentionTensors(&draws, size) },
    steps: [
      Step(
        "s", 2, "S = Q Kᵀ / √d in each head, stacked", "Vaswani et al. 2017, section 3.2",
        from: ["q", "k"],
        mistakes: [
          ("not divided by √d", { scores($0) { _ in 1 } }),
          ("divided by d in place of √d", { scores($0) { $0 } }),
          ("divided by the root of the whole width", { scores($0) { (2 * $0).squareRoot() } }),
          (
            "K Qᵀ in place of Q Kᵀ",
            { heads($0) { linear($0["k"].part($1), weight: $0["q"].part($1)) } }
          ),
        ]
      ) { scores($0) { $0.squareRoot() } },
      Step(
        "p", 2, "P = softmax(S), in every row", "Vaswani et al. 2017, section 3.2", from: ["s"],
        mistakes: [
          (
            "softmax over the queries in place of the keys",
            { softmax($0["s"].transposed).transposed }
          )
        ]
      ) { softmax($0["s"]) },
      Step(
        "o", 2, "O = P V in each head, side by side", "Vaswani et al. 2017, section 3.2",
        from: ["p", "v"],
        mistakes: [
          ("Pᵀ V in place of P V", { outputs($0) { $0.transposed } }),
          (
            "the halves of the heads are exchanged",
            { values in
              let (o, width) = (outputs(values) { $0 }, values["v"].columns / 2)
              return joined(o.part(width..<2 * width), o.part(0..<width))
            }
          ),
        ]
      ) { outputs($0) { $0 } },
    ])

  /// The gradients of attention.
  static let attentionBackward = Exercise(
    name: "attention-backward", title: "Attention, backward",
    introduction: """
      The gradients of attention in two heads, as in the exercise before: ∂O is given, and P is calculated again. What
      belongs to a head (P, ∂P, ∂S) is stacked, first all rows of head 0; the others have a half of the columns per head.
      """,
    inputs: attentionInputs + [Input("d_o", 2, "∂L/∂O")],
    make: { draws, size in
      var tensors = attentionTensors(&draws, size)
      tensors["d_o"] = draws.matrix(tensors["q"]!.rows, tensors["q"]!.columns)
      return tensors
    },
    steps: [
      Step(
        "p", 2, "P = softmax(Q Kᵀ / √d) in each head, stacked", "Vaswani et al. 2017",
        from: ["q", "k"]
      ) {
        softmax(scores($0) { $0.squareRoot() })
      },
      Step(
        "d_v", 2, "∂V = Pᵀ ∂O in each head", "Vaswani et al. 2017", from: ["p", "d_o"],
        mistakes: [("P ∂O in place of Pᵀ ∂O", { products($0, "p", "d_o") { $0 } })]
      ) { products($0, "p", "d_o") { $0.transposed } },
      Step("d_p", 2, "∂P = ∂O Vᵀ in each head, stacked", "Vaswani et al. 2017", from: ["d_o", "v"]) {
        heads($0) { linear($0["d_o"].part($1), weight: $0["v"].part($1)) }
      },
      Step(
        "d_s", 2, "∂S = P (∂P − Σ_j P ∂P), in every row", "Vaswani et al. 2017",
        from: ["p", "d_p"],
        mistakes: [
          ("the sum of P ∂P is not subtracted", { $0["p"].zip($0["d_p"]) { $0 * $1 } }),
          ("P (1 − P) ∂P, the diagonal only", { $0["p"].zip($0["d_p"]) { $0 * (1 - $0) * $1 } }),
        ]
      ) { softmaxBackward($0["d_p"], p: $0["p"]) },
      Step(
        "d_q", 2, "∂Q = ∂S K / √d in each head", "Vaswani et al. 2017", from: ["d_s", "k"],
        mistakes: [("not divided by √d", { products($0, "d_s", "k") { $0 } })]
      ) { values in products(values, "d_s", "k") { $0 }.map { $0 / headRoot(values, "k") } },
      Step(
        "d_k", 2, "∂K = ∂Sᵀ Q / √d in each head", "Vaswani et al. 2017", from: ["d_s", "q"],
        mistakes: [
          (
            "∂S Q in place of ∂Sᵀ Q",
            { values in products(values, "d_s", "q") { $0 }.map { $0 / headRoot(values, "q") } }
          ),
          ("not divided by √d", { products($0, "d_s", "q") { $0.transposed } }),
        ]
      ) { values in
        products(values, "d_s", "q") { $0.transposed }.map { $0 / headRoot(values, "q") }
      },
    ])

  private static let attentionInputs = [
    Input("q", 2, "queries, one row per token"), Input("k", 2, "keys"), Input("v", 2, "values"),
  ]

  private static func attentionTensors(_ draws: inout ExerciseDraws, _ size: Size) -> [String:
    Matrix]
  {
    let (tokens, width) = size == .own ? (4, 6) : (3, 8)
    var tensors: [String: Matrix] = [:]
    for name in ["q", "k", "v"] { tensors[name] = draws.matrix(tokens, width, scale: 2) }
    return tensors
  }

  /// A matrix of each head, one below the other; the range: the columns of the head.
  private static func heads(
    _ values: ExerciseValues, _ matrix: (ExerciseValues, Range<Int>) -> Matrix
  ) -> Matrix {
    let width = values["v"].columns / 2
    let (first, second) = (matrix(values, 0..<width), matrix(values, width..<2 * width))
    return Matrix(2 * first.rows, first.columns, first.values + second.values)
  }

  /// Q Kᵀ divided by a function of the width of a head.
  private static func scores(_ values: ExerciseValues, divisor: (Double) -> Double) -> Matrix {
    let divisor = divisor(Double(values["q"].columns / 2))
    return heads(values) { linear($0["q"].part($1), weight: $0["k"].part($1)) }.map { $0 / divisor }
  }

  /// P V by heads, side by side.
  private static func outputs(_ values: ExerciseValues, _ change: (Matrix) -> Matrix) -> Matrix {
    products(values, "p", "v", change)
  }

  /// Stacked squares times the halves of a matrix.
  private static func products(
    _ values: ExerciseValues, _ stacked: String, _ other: String, _ change: (Matrix) -> Matrix
  ) -> Matrix {
    let (p, x) = (values[stacked], values[other])
    let (tokens, width) = (p.columns, x.columns / 2)
    let halves = (0..<2).map { head in
      let square = Matrix(
        tokens, tokens, Array(p.values[head * tokens * tokens..<(head + 1) * tokens * tokens]))
      return linear(change(square), weight: x.part(head * width..<(head + 1) * width).transposed)
    }
    return joined(halves[0], halves[1])
  }

  /// Two matrices side by side.
  private static func joined(_ a: Matrix, _ b: Matrix) -> Matrix {
    Matrix(a.rows, a.columns + b.columns, (0..<a.rows).flatMap { a.row($0) + b.row($0) })
  }

  /// √d of the heads of a matrix.
  private static func headRoot(_ values: ExerciseValues, _ name: String) -> Double {
    Double(values[name].columns / 2).squareRoot()
  }
}
