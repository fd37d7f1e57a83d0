import Tensor

// Pointwise activations.

extension OperationChecks {
  static var activations: [GradientCheck] {
    shapes.flatMap { shape in
      [
        GradientCheck("gelu/\(shape)", inputs(["x": shape], scale: 2)) { $0[0].gelu() },
        GradientCheck("geluTanh/\(shape)", inputs(["x": shape], scale: 2)) { $0[0].geluTanh() },
        GradientCheck("quickGELU/\(shape)", inputs(["x": shape], scale: 2)) { $0[0].quickGELU() },
        GradientCheck("scaledSigmoid/\(shape)", inputs(["x": shape], scale: 2)) { $0[0].scaledSigmoid(16) },
        GradientCheck("elementwiseExponential/\(shape)", inputs(["x": shape], scale: 2)) { $0[0].exponential() },
        GradientCheck("relu/\(shape)", [("x", awayFromZero(shape))]) { $0[0].relu() },
      ]
    }
      + shapes.flatMap { shape in
        let inputs = inputs(["gate": shape, "u": shape], scale: 2)
        let (gate, u) = (inputs[0].value, inputs[1].value)
        return [
          GradientCheck("swiglu/\(shape)", inputs) { $0[0].swiglu($0[1]) },
          GradientCheck("swiglu/\(shape), frozen u", [inputs[0]]) { $0[0].swiglu(Variable(u)) },
          GradientCheck("swiglu/\(shape), frozen gate", [inputs[1]]) { Variable(gate).swiglu($0[0]) },
        ]
      } + [
        GradientCheck("gelu/tails", [("x", tails)]) { $0[0].gelu() },
        GradientCheck("geluTanh/tails", [("x", tails)]) { $0[0].geluTanh() },
        GradientCheck("quickGELU/tails", [("x", tails)]) { $0[0].quickGELU() },
      ]
  }

  private static var shapes: [Shape] { [[], [1], [7], [16], [3, 11], [2, 3, 17], [0, 3]] }

  /// Values that no step of a difference carries over the kink at zero.
  private static func awayFromZero(_ shape: Shape) -> Tensor {
    CheckNumbers(seed: 1).tensor(shape).mapLanes { x in
      (x - 0.25).replacing(with: x + 0.25, where: x .> 0)
    }
  }

  /// Zeros, ordinary values, and values where the activation is 0 or x to the last bit.
  private static var tails: Tensor {
    Tensor([19], [0, -0.0, 1e-6, -1e-6, 0.5, -0.5, 1, -1, 3, -3, 5, -5, 6, -6, 8, -8, 9, 11, -11])
  }
}
