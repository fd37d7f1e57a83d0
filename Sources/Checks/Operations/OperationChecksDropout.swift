import Tensor

// Random operations: differences at fixed samples, and the statistics over samples.

extension OperationChecks {
  /// The checks of the mean and variance of random operations.
  package static var expectations: [ExpectationCheck] {
    [0.1, 0.5, 0.9, 0.999].flatMap { (probability: Real) in
      [
        expectation("dropout", probability) { $0.dropout(probability, draw: $1) },
        expectation("dropPath", probability) { $0.dropPath(probability, draw: $1) },
      ]
    }
  }

  /// Mean x and variance x² p / (1 − p): x / (1 − p) with probability 1 − p, else 0.
  private static func expectation(
    _ name: String, _ probability: Real, _ drop: @escaping @Sendable (Variable, DropDraw) -> Variable
  ) -> ExpectationCheck {
    let x = inputs(["x": [7, 2, 3]], scale: 2)[0].value
    let keep = 1 - Double(probability)
    let kept = Tensor(x.shape, x.values.map { Real(Double($0) / keep) })
    return ExpectationCheck(
      "\(name)/expectation, p = \(probability)",
      .init(kept, orElse: .zeros(x.shape), probability: Array(repeating: keep, count: x.count))
    ) { step in drop(Variable(x), DropDraw(seed: 6, site: 3, step: step)).value }
  }

  static var dropout: [GradientCheck] {
    let shapes: [Shape] = [[1], [7], [3, 11], [2, 3, 17], [5, 1, 16], [1, 4099], [0, 3], [3, 0]]
    return shapes.flatMap { shape in
      let inputs = inputs(["x": shape])
      return [0.1, 0.5, 0.9, 1].flatMap { (probability: Real) in
        let draw = DropDraw(seed: 2, site: 1, step: 5, firstSample: 3)
        return [
          GradientCheck("dropout/\(shape), p = \(probability)", inputs) { $0[0].dropout(probability, draw: draw) },
          GradientCheck("dropPath/\(shape), p = \(probability)", inputs) { $0[0].dropPath(probability, draw: draw) },
        ]
      }
    } + [
      GradientCheck("dropout/[], p = 0.5", inputs(["x": []])) {
        $0[0].dropout(0.5, draw: DropDraw(seed: 2, site: 1, step: 0))
      },
      GradientCheck("dropPath/residual [4, 5]", inputs(["x": [4, 5], "branch": [4, 5]])) {
        $0[0].adding($0[1].dropPath(0.4, draw: DropDraw(seed: 3, site: 0, step: 1)))
      },
      GradientCheck("dropout/given numbers [3, 17]", inputs(["x": [3, 17]])) {
        $0[0].dropout(0.4, uniform: Random(seed: 4, purpose: .check).uniform([3, 17]))
      },
      GradientCheck("dropPath/given numbers [7, 5]", inputs(["x": [7, 5]])) {
        $0[0].dropPath(0.4, uniform: Random(seed: 4, purpose: .check).uniform([7]))
      },
    ]
  }
}
