import Tensor

// Rows that are calculated one after another, and again for the backward pass.

extension OperationChecks {
  static var recomputation: [GradientCheck] {
    let cases: [(x: Shape, columns: Int)] = [([2, 1], 1), ([3, 7], 5), ([5, 17], 16), ([2, 33], 3), ([1, 4], 3)]
    return cases.flatMap { shape, columns -> [GradientCheck] in
      let inputs = inputs(["x": shape, "weight": [columns, shape[1]], "bias": [columns]])
      let (x, weight, bias) = (inputs[0].value, inputs[1].value, inputs[2].value)
      // A single row is that of its function, without the operation.
      guard shape[0] > 1 else {
        return [GradientCheck("linear/one row of \(shape)", inputs) { each($0[0], $0[1], $0[2]) }]
      }
      let name = "eachRow/\(shape) to \(columns)"
      return [
        GradientCheck(name, inputs) { each($0[0], $0[1], $0[2]) },
        GradientCheck("\(name), frozen x", Array(inputs.dropFirst())) { each(Variable(x), $0[0], $0[1]) },
        GradientCheck("\(name), x alone", [inputs[0]]) { each($0[0], Variable(weight), Variable(bias)) },
      ]
    }
  }

  private static func each(_ x: Variable, _ weight: Variable, _ bias: Variable) -> Variable {
    x.eachRow([weight, bias]) { $0.linear($1[0], bias: $1[1]).quickGELU() }
  }
}
