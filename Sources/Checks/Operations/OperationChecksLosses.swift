import Tensor

// Softmax and the losses made of it.

extension OperationChecks {
  static var losses: [GradientCheck] { softmax + crossEntropy + distillation }

  private static var softmax: [GradientCheck] {
    let shapes: [Shape] = [[4, 1], [3, 7], [2, 16], [2, 17], [2, 2, 33], [5], [0, 3]]
    return shapes.flatMap { shape in
      [("", 1), (" sharp", 8)].flatMap { (variant: String, scale: Real) in
        [
          GradientCheck("softmax/\(shape)\(variant)", inputs(["x": shape], scale: scale)) { $0[0].softmax() },
          GradientCheck("logSoftmax/\(shape)\(variant)", inputs(["x": shape], scale: scale)) { $0[0].logSoftmax() },
        ]
      }
    }
  }

  private static var shapes: [(rows: Int, classes: Int)] { [(1, 1), (5, 7), (3, 16), (4, 17), (2, 33)] }

  private static var crossEntropy: [GradientCheck] {
    shapes.flatMap { rows, classes in
      let labels = (0..<rows).map { Int32($0 * 5 % classes) }
      return [1, 12].map { (scale: Real) in
        GradientCheck(
          "crossEntropy/[\(rows), \(classes)] scale \(scale)", inputs(["logits": [rows, classes]], scale: scale)
        ) { $0[0].crossEntropy(labels: labels) }
      }
    }
  }

  private static var distillation: [GradientCheck] {
    shapes.map { rows, classes in
      let inputs = inputs(["student": [rows, classes], "teacher": [rows, classes]], scale: 3)
      let teacher = inputs[1].value
      return GradientCheck("distillation/[\(rows), \(classes)]", [inputs[0]]) { $0[0].distillation(teacher: teacher) }
    }
  }
}
