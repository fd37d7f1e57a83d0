import Models
import Tensor

// The layers of CLIP's ResNet.

extension LayerChecks {
  static var convolution: [GradientCheck] {
    let cases: [(x: Shape, out: Int, size: Int, stride: Int)] = [
      ([1, 3, 5, 7], 2, 3, 1), ([2, 3, 7, 5], 2, 3, 2), ([2, 2, 3, 3], 5, 1, 1), ([1, 1, 1, 1], 1, 3, 2),
      ([0, 2, 3, 3], 2, 3, 1),
    ]
    return cases.map { x, out, size, stride in
      let name = "vision.stem.convolution1"
      let layer = made({ $0.addConvolution(name, from: x[1], to: out, size: size) }) { (reader) throws(WeightsError) in
        try Convolution(&reader, name, from: x[1], to: out, size: size, stride: stride)
      }
      return check("\(x)→\(out), size \(size), stride \(stride)", layer, ["x": x]) { $0($1[0], $2) }
    }
  }

  static var batchNorm: [GradientCheck] {
    let shapes: [Shape] = [[1, 1, 1, 1], [2, 3, 5, 3], [1, 7, 1, 2], [1, 2, 17, 1], [0, 3, 2, 2]]
    return shapes.map { x in
      let name = "vision.stem.norm1"
      let layer = made({ $0.addBatchNorm(name, channels: x[1]) }) { (reader) throws(WeightsError) in
        try BatchNorm(&reader, name, channels: x[1])
      }
      return check("\(x)", layer, ["x": x]) { $0($1[0], $2) }
    }
  }

  static var bottleneck: [GradientCheck] {
    let cases: [(x: Shape, middle: Int, stride: Int)] = [
      ([1, 4, 3, 3], 1, 1), ([2, 8, 2, 3], 2, 1), ([1, 3, 3, 2], 2, 1), ([2, 3, 4, 6], 3, 2),
      // A row and a column that no window of the pool covers.
      ([1, 12, 5, 3], 3, 2),
    ]
    return cases.map { x, middle, stride in
      let name = "vision.stage1.blocks.0"
      let layer = made({ $0.addBottleneck(name, from: x[1], middle: middle, stride: stride) }) {
        (reader) throws(WeightsError) in
        try Bottleneck(&reader, name, index: 0, from: x[1], middle: middle, stride: stride)
      }
      return check("\(x), middle \(middle), stride \(stride)", layer, ["x": x], scope: .network) { $0($1[0], $2) }
    }
  }

  static var attentionPool: [GradientCheck] {
    let cases: [(x: Shape, heads: Int, out: Int)] = [
      ([1, 1, 1, 1], 1, 1), ([2, 6, 2, 3], 2, 5), ([1, 17, 1, 1], 1, 3), ([1, 10, 3, 3], 5, 7),
    ]
    return cases.map { x, heads, out in
      let name = "vision.attentionPool"
      let layer = made({ $0.addAttentionPool(name, pixels: x[2] * x[3], channels: x[1], to: out) }) {
        (reader) throws(WeightsError) in
        try AttentionPool(&reader, name, pixels: x[2] * x[3], channels: x[1], heads: heads, to: out)
      }
      return check("\(x), heads \(heads)", layer, ["x": x], scope: .network) { $0($1[0], $2) }
    }
  }

  static var modifiedResNet: [GradientCheck] {
    let cases = [
      // A last map of one pixel, whose mean equals its only token.
      (2, ResNetConfiguration(stages: [1], width: 2, heads: 1, imageSize: 4), 3),
      (1, ResNetConfiguration(stages: [2, 1], width: 2, heads: 2, imageSize: 16), 5),
      (2, ResNetConfiguration(stages: [1, 2], width: 2, heads: 8, imageSize: 8), 2),
      (1, ResNetConfiguration(stages: [1, 1, 1], width: 2, heads: 4, imageSize: 16), 1),
    ]
    return cases.map { batch, size, embedding in
      let layer = made({ $0.add(size, embedding: embedding) }) { (reader) throws(WeightsError) in
        try ModifiedResNet(&reader, size, embedding: embedding)
      }
      let images: Shape = [batch, 3, size.imageSize, size.imageSize]
      return check("\(images), stages \(size.stages)", layer, ["images": images], scope: .network) { $0($1[0], $2) }
    }
  }
}
