import Tensor

// Values that are easy to get wrong: zeros, ties, and values whose exponentials overflow.

extension OperationChecks {
  static var values: [GradientCheck] { ties + zeros + large }

  /// More than exp(x) can hold in this precision, yet few enough digits of x are lost for a difference.
  private static var overflowing: Real { GradientCheck.isDouble ? 1000 : 200 }

  /// Rows whose largest element occurs several times, and rows of one element: all differentiable.
  private static var tied: Tensor {
    Tensor([3, 7], [2, -1, 2, 0, 2, -1, 0.5] + Array(repeating: 0.7, count: 7) + [0, 0, 0, 0, 0, 0, 1])
  }

  private static var teacher: Tensor { CheckNumbers(seed: 3).tensor([3, 7], scale: 2) }

  private static var ties: [GradientCheck] {
    let (one, two) = (Tensor([7], repeating: 1), Tensor([7], repeating: 2))
    let keys = Tensor([1, 3, 7], tied.values)
    return [
      GradientCheck("softmax/ties", [("x", tied)]) { $0[0].softmax() },
      GradientCheck("logSoftmax/ties", [("x", tied)]) { $0[0].logSoftmax() },
      GradientCheck("crossEntropy/tied logits", [("logits", tied)]) { $0[0].crossEntropy(labels: [2, 6, 0]) },
      GradientCheck("distillation/tied logits", [("student", tied)]) { $0[0].distillation(teacher: teacher) },
      // A row of one element has no variance: only ε is left in the denominator.
      GradientCheck("layerNorm/ties", [("x", tied), ("gamma", two), ("beta", one)]) {
        $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 0.3)
      },
      GradientCheck("attention/equal keys", [("queries", keys), ("keys", Tensor([1, 3, 7], repeating: 0.5))]) {
        $0[0].attention(keys: $0[1], values: Variable(keys), heads: 1)
      },
    ]
  }

  private static var zeros: [GradientCheck] {
    let sparse = CheckNumbers(seed: 8).tensor([3, 19]).mapLanes { $0.replacing(with: 0, where: $0 .< 0) }
    let tokens = Tensor.zeros([1, 3, 6])
    return zeros("zeros", .zeros([3, 19])) + zeros("half zeros", sparse) + [
      GradientCheck("l2Norm/half zeros", [("x", sparse)]) { Variable.l2Norm($0) },
      GradientCheck("l2Normalize/half zeros", [("x", sparse)]) { $0[0].l2Normalized() },
      GradientCheck("attention/zeros", [("queries", tokens), ("keys", tokens), ("values", tokens)]) {
        $0[0].attention(keys: $0[1], values: $0[2], heads: 2, isCausal: true)
      },
    ]
  }

  private static func zeros(_ title: String, _ value: Tensor) -> [GradientCheck] {
    let inputs = inputs(["weight": [5, 19], "gamma": [19], "beta": [19]])
    let x = (name: "x", value: value)
    return [
      GradientCheck("linear/\(title)", [x, inputs[0]]) { $0[0].linear($0[1]) },
      GradientCheck("layerNorm/\(title)", [x, inputs[1], inputs[2]]) {
        $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 0.3)
      },
      GradientCheck("softmax/\(title)", [x]) { $0[0].softmax() },
      GradientCheck("logSoftmax/\(title)", [x]) { $0[0].logSoftmax() },
      GradientCheck("gelu/\(title)", [x]) { $0[0].gelu() },
      GradientCheck("geluTanh/\(title)", [x]) { $0[0].geluTanh() },
      GradientCheck("quickGELU/\(title)", [x]) { $0[0].quickGELU() },
      GradientCheck("dot/\(title)", [x, ("b", value)]) { $0[0].dot($0[1]) },
      GradientCheck("scaleByExponential/\(title)", [x, ("exponent", Tensor(0))]) {
        $0[0].scaled(byExponentialOf: $0[1])
      },
    ]
  }

  /// Logits around ±L among others, and activations there: L is added as a constant, so that steps stay small.
  private static var large: [GradientCheck] {
    [
      large("softmax") { $0.softmax() }, large("logSoftmax") { $0.logSoftmax() },
      large("crossEntropy") { $0.crossEntropy(labels: [0, 6, 3]) },
      large("distillation", "frozen teacher, ") { $0.distillation(teacher: teacher) },
      large("gelu") { $0.gelu() }, large("geluTanh") { $0.geluTanh() }, large("quickGELU") { $0.quickGELU() },
    ]
  }

  private static func large(
    _ name: String, _ variant: String = "", _ function: @escaping @Sendable (Variable) -> Variable
  ) -> GradientCheck {
    let l = overflowing
    // All large; all far below 0; one that is negligible compared with six.
    let rows = [[Real](repeating: l, count: 7), [Real](repeating: -l, count: 7), [-l] + [Real](repeating: l, count: 6)]
    let offset = Tensor([3, 7], rows.flatMap(\.self))
    return GradientCheck("\(name)/\(variant)around ±\(l)", inputs(["x": [3, 7]])) {
      function($0[0].adding(Variable(offset)))
    }
  }
}
