import Tensor

// Softmax and the losses made of it.

extension OperationChecks {
  static var losses: [GradientCheck] { softmax + crossEntropy + softCrossEntropy + distillation }

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
      return [(0, 1), (0.1, 1), (1, 1), (0, 12), (0.1, 12)].map { (smoothing: Real, scale: Real) in
        GradientCheck(
          "crossEntropy/[\(rows), \(classes)] smoothing \(smoothing), scale \(scale)",
          inputs(["logits": [rows, classes]], scale: scale)
        ) { $0[0].crossEntropy(labels: labels, smoothing: smoothing) }
      }
    }
  }

  private static var softCrossEntropy: [GradientCheck] {
    shapes.flatMap { rows, classes in
      let shape: Shape = [rows, classes]
      // The formula is checked for any targets, not only for distributions.
      let inputs = inputs(["logits": shape, "targets": shape])
      let distribution = Variable(inputs[1].value).softmax().value
      return [
        GradientCheck("softCrossEntropy/\(shape)", inputs) { $0[0].crossEntropy(targets: $0[1]) },
        GradientCheck("softCrossEntropy/\(shape) sharp", Self.inputs(["logits": shape], scale: 12)) {
          $0[0].crossEntropy(targets: Variable(distribution))
        },
      ]
    }
  }

  private static var distillation: [GradientCheck] {
    shapes.flatMap { rows, classes in
      let inputs = inputs(["student": [rows, classes], "teacher": [rows, classes]], scale: 3)
      let teacher = inputs[1].value
      return [(1, 1), (2, 1), (0.5, 1), (1.5, 0.4), (1, 0)].flatMap { (temperature: Real, share: Real) in
        let name = "distillation/[\(rows), \(classes)] temperature \(temperature), share \(share)"
        return [
          GradientCheck(name, inputs) {
            $0[0].distillation(teacher: $0[1], temperature: temperature, teacherShare: share)
          },
          GradientCheck("\(name) frozen teacher", [inputs[0]]) {
            $0[0].distillation(teacher: Variable(teacher), temperature: temperature, teacherShare: share)
          },
        ]
      }
    }
  }
}
