import Tensor

// Operations on images and feature maps: [batch, channels, height, width].

extension OperationChecks {
  static var pictures: [GradientCheck] { convolution + depthwiseConvolution + averagePool + patches + spatialTokens }

  private struct ConvolutionShape {
    var x, weight: Shape
    var stride = 1
    var padding = 0
    var groups = 1
  }

  private static var convolution: [GradientCheck] {
    let shapes = [
      ConvolutionShape(x: [1, 1, 1, 1], weight: [1, 1, 1, 1]),
      ConvolutionShape(x: [2, 3, 5, 3], weight: [4, 3, 1, 1]),
      ConvolutionShape(x: [2, 2, 5, 7], weight: [3, 2, 3, 3], padding: 1),
      ConvolutionShape(x: [1, 2, 7, 6], weight: [2, 2, 3, 3], stride: 2, padding: 1),
      ConvolutionShape(x: [1, 2, 7, 5], weight: [3, 2, 2, 2], stride: 3),
      ConvolutionShape(x: [1, 2, 4, 6], weight: [3, 2, 2, 3], stride: 1),
      ConvolutionShape(x: [2, 4, 4, 3], weight: [6, 2, 3, 2], padding: 1, groups: 2),
      ConvolutionShape(x: [2, 3, 5, 4], weight: [3, 1, 3, 3], padding: 1, groups: 3),
      ConvolutionShape(x: [1, 2, 2, 3], weight: [2, 1, 7, 7], padding: 3, groups: 2),
      ConvolutionShape(x: [0, 2, 3, 3], weight: [2, 2, 2, 2]),
    ]
    return shapes.flatMap { shape in
      let inputs = inputs(["x": shape.x, "weight": shape.weight, "bias": [shape.weight[0]]])
      let (x, weight) = (inputs[0].value, inputs[1].value)
      let name =
        "convolution/\(shape.x) by \(shape.weight), stride \(shape.stride), padding \(shape.padding), "
        + "groups \(shape.groups)"
      let convolve: @Sendable (Variable, Variable, Variable?) -> Variable = { x, weight, bias in
        x.convolution(weight, bias: bias, stride: shape.stride, padding: shape.padding, groups: shape.groups)
      }
      return [
        GradientCheck(name, inputs) { convolve($0[0], $0[1], $0[2]) },
        GradientCheck("\(name) without bias", Array(inputs[..<2])) { convolve($0[0], $0[1], nil) },
        GradientCheck("\(name) frozen weight", [inputs[0]]) { convolve($0[0], Variable(weight), nil) },
        GradientCheck("\(name) frozen x", Array(inputs[1...])) { convolve(Variable(x), $0[0], $0[1]) },
      ]
    }
  }

  private static var depthwiseConvolution: [GradientCheck] {
    let cases: [(x: Shape, size: Int)] = [
      ([1, 1, 1, 1], 1), ([1, 1, 1, 2], 7), ([2, 3, 5, 3], 3), ([1, 2, 9, 17], 3), ([2, 5, 3, 2], 5),
      ([1, 3, 11, 1], 9), ([1, 2, 17, 5], 7), ([0, 3, 3, 2], 3),
    ]
    return cases.flatMap { shape, size in
      let channels = shape[3]
      let inputs = inputs(["x": shape, "weight": [channels, 1, size, size], "bias": [channels]])
      let (x, weight) = (inputs[0].value, inputs[1].value)
      let name = "depthwiseConvolution/\(shape) by \(size)"
      return [
        GradientCheck(name, inputs) { $0[0].depthwiseConvolution($0[1], bias: $0[2]) },
        GradientCheck("\(name) without bias", Array(inputs[..<2])) { $0[0].depthwiseConvolution($0[1]) },
        GradientCheck("\(name) frozen weight", [inputs[0]]) { $0[0].depthwiseConvolution(Variable(weight)) },
        GradientCheck("\(name) frozen x", Array(inputs[1...])) {
          Variable(x).depthwiseConvolution($0[0], bias: $0[1])
        },
      ]
    }
  }

  private static var averagePool: [GradientCheck] {
    let shapes: [(Shape, Int)] = [
      ([1, 1, 1, 1], 1), ([2, 3, 4, 6], 2), ([1, 2, 7, 9], 2), ([2, 1, 6, 7], 3), ([1, 2, 17, 3], 1),
      ([1, 1, 2, 2], 3),
      ([0, 2, 4, 4], 2),
    ]
    return shapes.map { shape, size in
      GradientCheck("averagePool/\(shape) by \(size)", inputs(["x": shape])) { $0[0].averagePooled(by: size) }
    }
  }

  private static var patches: [GradientCheck] {
    let shapes: [(Shape, Int)] = [
      ([1, 1, 1, 1], 1), ([2, 3, 4, 6], 2), ([1, 2, 7, 5], 3), ([1, 1, 5, 17], 5), ([2, 1, 3, 3], 1),
      ([0, 3, 4, 4], 2),
    ]
    return shapes.map { shape, size in
      GradientCheck("patches/\(shape) of \(size)", inputs(["x": shape])) { $0[0].patches(of: size) }
    }
  }

  private static var spatialTokens: [GradientCheck] {
    let shapes: [Shape] = [[1, 1, 1, 1], [2, 3, 5, 3], [1, 17, 2, 2], [3, 2, 4, 4], [1, 2, 3, 11], [0, 2, 2, 2]]
    return shapes.map { shape in
      GradientCheck("spatialTokens/\(shape)", inputs(["x": shape])) { $0[0].spatialTokens() }
    }
  }
}
