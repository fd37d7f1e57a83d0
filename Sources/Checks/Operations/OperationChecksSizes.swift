import Tensor

// Extents beyond the tiles and blocks of the matrix kernel (at most 14 × 32; 112 rows, 768 deep, 4096 columns), and
// multiples of none of them; rows of several groups of sixteen and a remainder.

extension OperationChecks {
  static var sizes: [GradientCheck] { largeLinear + largeRows + largePictures }

  private static var largeLinear: [GradientCheck] {
    [([31, 5], 67), ([115, 3], 2), ([3, 769], 2), ([1, 2], 4099)].map { (x: Shape, out: Int) in
      GradientCheck("linear/\(x)→\(out)", inputs(["x": x, "weight": [out, x.width], "bias": [out]])) {
        $0[0].linear($0[1], bias: $0[2])
      }
    } + [
      GradientCheck(
        "attention/[1, 37, 6] on 35 keys, 2 heads",
        inputs(["queries": [1, 37, 6], "keys": [1, 35, 6], "values": [1, 35, 6]])
      ) { $0[0].attention(keys: $0[1], values: $0[2], heads: 2, isCausal: true) }
    ]
  }

  private static var largeRows: [GradientCheck] {
    let shape: Shape = [1, 131]
    let one = inputs(["x": shape])
    let teacher = CheckNumbers(seed: 3).tensor(shape)
    let affine = inputs(["x": shape, "gamma": [131], "beta": [131]])
    return [
      GradientCheck("softmax/\(shape)", one) { $0[0].softmax() },
      GradientCheck("logSoftmax/\(shape)", one) { $0[0].logSoftmax() },
      GradientCheck("crossEntropy/\(shape) one label", one) { $0[0].crossEntropy(labels: [97]) },
      GradientCheck("distillation/\(shape) frozen teacher", one) { $0[0].distillation(teacher: teacher) },
      GradientCheck("layerNorm/\(shape)", affine) { $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 1e-5) },
      GradientCheck("l2Normalize/\(shape)", one) { $0[0].l2Normalized() },
      GradientCheck("gelu/\(shape)", one) { $0[0].gelu() },
      GradientCheck("geluTanh/\(shape)", one) { $0[0].geluTanh() },
      GradientCheck("quickGELU/\(shape)", one) { $0[0].quickGELU() },
    ]
  }

  private static var largePictures: [GradientCheck] {
    let x: Shape = [1, 2, 9, 11]
    return [
      GradientCheck("convolution/\(x), 17 channels out", inputs(["x": x, "weight": [17, 2, 3, 3], "bias": [17]])) {
        $0[0].convolution($0[1], bias: $0[2], padding: 1)
      },
      GradientCheck("batchNorm/\(x)", inputs(["x": x, "gamma": [2], "beta": [2]])) {
        $0[0].batchNorm(
          gamma: $0[1], beta: $0[2], mean: CheckNumbers(seed: 9).tensor([2]), variance: positive([2]), epsilon: 1e-5)
      },
    ]
  }
}
