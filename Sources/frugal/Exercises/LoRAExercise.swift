import Foundation
import Reference

extension Exercise {
  /// A low-rank branch at a linear map.
  static let loraBranch = Exercise(
    name: "lora", title: "A LoRA branch",
    introduction: """
      A low-rank branch is parallel to a frozen linear map: y = W x + b + U D dropout(x). An element of x is kept where
      its random number is at least the probability 0.25, and divided by 0.75. Only D and U are trained.
      """,
    inputs: [
      Input("x", 2, "the input, one row per token"), Input("w", 2, "W: [out, in]"),
      Input("b", 1, "the bias"),
      Input("down", 2, "D: [rank, in]"), Input("up", 2, "U: [out, rank]"),
      Input("random", 2, "a random number in [0, 1) for every element of x"),
      Input("d_y", 2, "∂L/∂y"),
    ],
    make: { draws, size in
      let (tokens, width, out, rank) = size == .own ? (4, 6, 5, 2) : (3, 5, 4, 2)
      var random = draws.uniform(tokens, width)
      random.values[2] = 0.25
      return [
        "x": draws.matrix(tokens, width), "w": draws.matrix(out, width), "b": draws.matrix(1, out),
        "down": draws.matrix(rank, width), "up": draws.matrix(out, rank), "random": random,
        "d_y": draws.matrix(tokens, out),
      ]
    },
    steps: [
      Step(
        "x_kept", 2, "dropout(x) = x / 0.75 where the random number is ≥ 0.25, else 0", "SPT (i)",
        from: ["x", "random"],
        mistakes: [
          ("not divided by 0.75", { dropped($0["x"], $0).map { $0 * 0.75 } }),
          (
            "> 0.25 in place of ≥ 0.25", { $0["x"].zip($0["random"]) { $1 > 0.25 ? $0 / 0.75 : 0 } }
          ),
          (
            "dropped where the random number is ≥ 0.25",
            { $0["x"].zip($0["random"]) { $1 < 0.25 ? $0 / 0.75 : 0 } }
          ),
          ("divided by 0.25", { dropped($0["x"], $0).map { $0 * 3 } }),
        ]
      ) { dropped($0["x"], $0) },
      Step("h", 2, "h = dropout(x) Dᵀ", "SPT (i)", from: ["x_kept", "down"]) {
        linear($0["x_kept"], weight: $0["down"])
      },
      Step(
        "y", 2, "y = x Wᵀ + b + h Uᵀ", "SPT (i)", from: ["x", "w", "b", "h", "up"],
        mistakes: [
          ("the branch is missing", { linear($0["x"], weight: $0["w"], bias: $0["b"]) }),
          ("the frozen map is missing", { linear($0["h"], weight: $0["up"]) }),
          (
            "the bias is missing",
            { linear($0["x"], weight: $0["w"]) + linear($0["h"], weight: $0["up"]) }
          ),
          (
            "the frozen map reads dropout(x) too",
            { values in
              linear(dropped(values["x"], values), weight: values["w"], bias: values["b"])
                + linear(values["h"], weight: values["up"])
            }
          ),
        ]
      ) { linear($0["x"], weight: $0["w"], bias: $0["b"]) + linear($0["h"], weight: $0["up"]) },
      Step("d_up", 2, "∂U = ∂yᵀ h", "SPT (i)", from: ["d_y", "h"]) {
        linear($0["d_y"].transposed, weight: $0["h"].transposed)
      },
      Step("d_h", 2, "∂h = ∂y U", "SPT (i)", from: ["d_y", "up"]) {
        linear($0["d_y"], weight: $0["up"].transposed)
      },
      Step(
        "d_down", 2, "∂D = ∂hᵀ dropout(x)", "SPT (i)", from: ["d_h", "x_kept"],
        mistakes: [
          ("x in place of dropout(x)", { linear($0["d_h"].transposed, weight: $0["x"].transposed) })
        ]
      ) { linear($0["d_h"].transposed, weight: $0["x_kept"].transposed) },
      Step(
        "d_x", 2, "∂x = ∂y W + dropout(∂h D), of the same random numbers", "SPT (i)",
        from: ["d_y", "w", "d_h", "down", "random"],
        mistakes: [
          ("the branch is missing", { linear($0["d_y"], weight: $0["w"].transposed) }),
          (
            "dropout is missing in the gradient",
            { values in
              linear(values["d_y"], weight: values["w"].transposed)
                + linear(values["d_h"], weight: values["down"].transposed)
            }
          ),
        ]
      ) { values in
        linear(values["d_y"], weight: values["w"].transposed)
          + dropped(linear(values["d_h"], weight: values["down"].transposed), values)
      },
    ])

  private static func dropped(_ x: Matrix, _ values: ExerciseValues) -> Matrix {
    dropout(x, probability: 0.25, uniform: values["random"].values)
  }
}
