import Tensor

// Normalisations and norms.

extension OperationChecks {
  static var normalizations: [GradientCheck] { layerNorm + batchNorm + globalResponseNorm + l2Norm + l2Normalize }

  private static var layerNorm: [GradientCheck] {
    let shapes: [Shape] = [[4, 1], [2, 3], [5, 7], [2, 16], [2, 3, 17], [3, 33], [19], [0, 5]]
    return shapes.flatMap { shape in
      let inputs = inputs(["x": shape, "gamma": [shape.width], "beta": [shape.width]])
      var shifted = inputs
      shifted[0].value = shifted[0].value.mapLanes { $0 + 5 }
      let (x, gamma, beta) = (inputs[0].value, inputs[1].value, inputs[2].value)
      return [
        GradientCheck("layerNorm/\(shape)", inputs) { $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 1e-5) },
        GradientCheck("layerNorm/\(shape) far from zero", shifted) {
          $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 1e-6)
        },
        GradientCheck("layerNorm/\(shape) large epsilon", inputs) {
          $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 0.3)
        },
        GradientCheck("layerNorm/\(shape) frozen", [inputs[0]]) {
          $0[0].layerNorm(gamma: Variable(gamma), beta: Variable(beta), epsilon: 1e-5)
        },
        GradientCheck("layerNorm/\(shape) frozen x", Array(inputs[1...])) {
          Variable(x).layerNorm(gamma: $0[0], beta: $0[1], epsilon: 1e-5)
        },
      ]
    }
  }

  private static var globalResponseNorm: [GradientCheck] {
    let shapes: [Shape] = [[1, 1, 1], [2, 3, 7], [1, 5, 17], [3, 2, 16], [1, 1, 5], [0, 2, 3]]
    return shapes.flatMap { shape in
      let inputs = inputs(["x": shape, "gamma": [shape.width], "beta": [shape.width]])
      let values = inputs.map(\.value)
      let name = "globalResponseNorm/\(shape)"
      return [
        GradientCheck(name, inputs) { $0[0].globalResponseNorm(gamma: $0[1], beta: $0[2], epsilon: 1e-6) },
        GradientCheck("\(name) large epsilon", inputs) {
          $0[0].globalResponseNorm(gamma: $0[1], beta: $0[2], epsilon: 0.3)
        },
        GradientCheck("\(name) frozen", [inputs[0]]) {
          $0[0].globalResponseNorm(gamma: Variable(values[1]), beta: Variable(values[2]), epsilon: 1e-6)
        },
        GradientCheck("\(name) frozen x", Array(inputs[1...])) {
          Variable(values[0]).globalResponseNorm(gamma: $0[0], beta: $0[1], epsilon: 1e-6)
        },
      ]
    }
  }

  private static var batchNorm: [GradientCheck] {
    let shapes: [Shape] = [[3, 1, 1, 1], [2, 7, 5, 3], [1, 5, 4, 4], [1, 3, 17, 1], [0, 2, 3, 3], [2, 3, 0, 2]]
    return shapes.flatMap { shape in
      let channels: Shape = [shape[1]]
      let inputs = inputs(["x": shape, "gamma": channels, "beta": channels])
      let (mean, variance) = (CheckNumbers(seed: 9).tensor(channels), positive(channels))
      let (x, gamma, beta) = (inputs[0].value, inputs[1].value, inputs[2].value)
      return [
        GradientCheck("batchNorm/\(shape)", inputs) {
          $0[0].batchNorm(gamma: $0[1], beta: $0[2], mean: mean, variance: variance, epsilon: 1e-5)
        },
        GradientCheck("batchNorm/\(shape) frozen", [inputs[0]]) {
          $0[0].batchNorm(gamma: Variable(gamma), beta: Variable(beta), mean: mean, variance: variance, epsilon: 0.1)
        },
        GradientCheck("batchNorm/\(shape) frozen x", Array(inputs[1...])) {
          Variable(x).batchNorm(gamma: $0[0], beta: $0[1], mean: mean, variance: variance, epsilon: 1e-5)
        },
      ]
    }
  }

  private static var l2Norm: [GradientCheck] {
    let zeros = Tensor.zeros([3, 5])
    return [
      GradientCheck("l2Norm/[7]", inputs(["a": [7]])) { Variable.l2Norm($0) },
      GradientCheck("l2Norm/scalar", inputs(["a": []])) { Variable.l2Norm($0) },
      GradientCheck("l2Norm/[3, 17], [], [16] and [0]", inputs(["a": [3, 17], "b": [], "c": [16], "d": [0]])) {
        Variable.l2Norm($0)
      },
      GradientCheck("l2Norm/[2, 3] beside zeros", inputs(["a": [2, 3]]) + [("zeros", zeros)]) { Variable.l2Norm($0) },
      GradientCheck("l2Norm/[33] beside a constant", inputs(["a": [33]])) { Variable.l2Norm($0 + [Variable(zeros)]) },
      GradientCheck("l2Norm/[4099] small", inputs(["a": [4099]], scale: 0.05)) { Variable.l2Norm($0) },
    ]
  }

  private static var l2Normalize: [GradientCheck] {
    let shapes: [Shape] = [[1, 1], [5, 7], [2, 16], [2, 3, 17], [2, 33], [3], [0, 3]]
    return shapes.flatMap { shape in
      [
        GradientCheck("l2Normalize/\(shape)", inputs(["x": shape])) { $0[0].l2Normalized() },
        GradientCheck("l2Normalize/\(shape) long", inputs(["x": shape], scale: 30)) { $0[0].l2Normalized() },
      ]
    }
  }
}
