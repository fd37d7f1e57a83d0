import Models
import Tensor

// The layers of Swin and ConvNeXt.

extension LayerChecks {
  private static func swinSize(
    _ blocks: [Int], heads: [Int], width: Int, window: Int, imageSize: Int, patchSize: Int = 1,
    positions: SwinConfiguration.PositionBias = .table, epsilon: Double = 1e-5
  ) -> SwinConfiguration {
    SwinConfiguration(
      blocks: blocks, heads: heads, width: width, expansion: 2, window: window, imageSize: imageSize,
      patchSize: patchSize, positions: positions, epsilon: epsilon)
  }

  static var continuousPositionBias: [GradientCheck] {
    [(1, 0, 1), (2, 0, 3), (3, 2, 2)].map { window, unit, heads in
      let name = "vision.stage1.blocks.0.attention.positionBias"
      let layer = made({ $0.addPositionNetwork(name, hidden: 5, heads: heads) }) { (reader) throws(WeightsError) in
        try ContinuousPositionBias(&reader, name, window: window, unit: unit, hidden: 5, heads: heads, block: 0)
      }
      return check("window \(window), unit \(unit), \(heads) heads", layer, [:], scope: .network) { $0($2) }
    }
  }

  /// A large ε: norms of the small sums that branches end in are too crooked for differences in single precision with
  /// the usual one.
  private static let largeEpsilon = 0.03

  /// Version 2, with position networks of four units.
  private static func secondSize(
    _ blocks: [Int], heads: [Int], width: Int, window: Int, imageSize: Int, pretrained: [Int]
  ) -> SwinConfiguration {
    swinSize(
      blocks, heads: heads, width: width, window: window, imageSize: imageSize,
      positions: .continuous(hidden: 4, windows: pretrained), epsilon: largeEpsilon)
  }

  static var patchMerging: [GradientCheck] {
    let cases: [(batch: Int, side: Int, width: Int)] = [(1, 2, 1), (2, 4, 3), (1, 6, 5), (0, 2, 2)]
    return cases.flatMap { batch, side, width in
      [false, true].map { normalizesLast in
        let name = "vision.stage2.merging"
        let layer = made({ $0.addPatchMerging(name, width: width, normalizesLast: normalizesLast) }) {
          (reader) throws(WeightsError) in
          try PatchMerging(
            &reader, name, side: side, width: width, epsilon: normalizesLast ? largeEpsilon : 1e-5,
            normalizesLast: normalizesLast)
        }
        let x: Shape = [batch, side * side, width]
        return check("\(x)\(normalizesLast ? ", norm last" : "")", layer, ["x": x], scope: .network) { $0($1[0], $2) }
      }
    }
  }

  static var swinBlock: [GradientCheck] {
    let cases: [(batch: Int, size: SwinConfiguration, isShifted: Bool)] = [
      (1, swinSize([1], heads: [1], width: 3, window: 1, imageSize: 1), false),
      (2, swinSize([1], heads: [2], width: 6, window: 2, imageSize: 4), false),
      (2, swinSize([1], heads: [1], width: 5, window: 2, imageSize: 4), true),
      (1, swinSize([1], heads: [2], width: 4, window: 3, imageSize: 6), true),
      // A map of one window is not shifted.
      (1, swinSize([1], heads: [1], width: 2, window: 3, imageSize: 3), true),
    ]
    let second: [(batch: Int, size: SwinConfiguration, isShifted: Bool)] = [
      (2, secondSize([1], heads: [2], width: 6, window: 2, imageSize: 4, pretrained: [0]), true),
      (1, secondSize([1], heads: [1], width: 4, window: 3, imageSize: 3, pretrained: [2]), false),
    ]
    return (cases + second).map { batch, size, isShifted in
      let name = "vision.stage1.blocks.0"
      let layer = made({ $0.add(size, stage: 0) }) { (reader) throws(WeightsError) in
        try SwinBlock(&reader, name, stage: 0, isShifted: isShifted, number: 0, size)
      }
      let z: Shape = [batch, size.imageSize * size.imageSize, size.width]
      let variant =
        "\(z), windows of \(size.window)\(isShifted ? ", shifted" : ""), \(size.heads[0]) heads"
        + (size.isSecondVersion ? ", version 2" : "")
      return check(variant, layer, ["z": z], scope: .network) { $0($1[0], $2) }
    }
  }

  static var swinStage: [GradientCheck] {
    let size = swinSize([1, 2], heads: [1, 2], width: 3, window: 2, imageSize: 8)
    return [1, 2].map { batch in
      let layer = made({ $0.add(size, stage: 1) }) { (reader) throws(WeightsError) in
        try SwinStage(&reader, stage: 1, size)
      }
      let x: Shape = [batch, 64, 3]
      return check("\(x), 2 blocks", layer, ["x": x], scope: .network) { $0($1[0], $2) }
    }
  }

  static var swin: [GradientCheck] {
    let cases = [
      (1, swinSize([1], heads: [1], width: 3, window: 1, imageSize: 2, patchSize: 2)),
      (2, swinSize([2, 1], heads: [1, 2], width: 6, window: 2, imageSize: 8, patchSize: 2)),
      (1, secondSize([1, 1], heads: [1, 2], width: 4, window: 2, imageSize: 4, pretrained: [0, 3])),
    ]
    return cases.map { batch, size in
      let layer = made({ $0.add(size) }) { (reader) throws(WeightsError) in try Swin(&reader, size) }
      let images: Shape = [batch, 3, size.imageSize, size.imageSize]
      let variant = "\(images), stages \(size.blocks)\(size.isSecondVersion ? ", version 2" : "")"
      return check(variant, layer, ["images": images], scope: .network) { $0($1[0], $2) }
    }
  }

  private static func convNeXtSize(
    _ blocks: [Int], _ widths: [Int], kernel: Int, imageSize: Int, patchSize: Int = 1, hasLayerScale: Bool = true,
    hasResponseNorm: Bool = false
  ) -> ConvNeXtConfiguration {
    ConvNeXtConfiguration(
      blocks: blocks, widths: widths, expansion: 2, kernelSize: kernel, imageSize: imageSize, patchSize: patchSize,
      hasLayerScale: hasLayerScale, hasResponseNorm: hasResponseNorm)
  }

  static var responseNorm: [GradientCheck] {
    let shapes: [Shape] = [[1, 1, 3], [2, 4, 5], [1, 3, 17], [0, 2, 3]]
    return shapes.map { x in
      let name = "vision.stage1.blocks.0.mlp.response"
      let layer = made({ $0.addNorm(name, width: x.width) }) { (reader) throws(WeightsError) in
        try ResponseNorm(&reader, name, width: x.width)
      }
      return check("\(x)", layer, ["x": x]) { $0($1[0], $2) }
    }
  }

  static var convNeXtDownsampling: [GradientCheck] {
    let cases: [(batch: Int, side: Int, width: Int, out: Int)] = [
      (1, 2, 3, 1), (2, 4, 3, 5), (1, 6, 17, 2), (0, 2, 2, 2),
    ]
    return cases.map { batch, side, width, out in
      let name = "vision.stage2.downsampling"
      let layer = made({ $0.addDownsampling(name, from: width, to: out) }) { (reader) throws(WeightsError) in
        try ConvNeXtDownsampling(&reader, name, side: side, from: width, to: out, epsilon: 1e-6)
      }
      let x: Shape = [batch, side * side, width]
      return check("\(x)→\(out)", layer, ["x": x], scope: .network) { $0($1[0], $2) }
    }
  }

  static var convNeXtBlock: [GradientCheck] {
    let cases = [
      (1, convNeXtSize([1], [3], kernel: 1, imageSize: 1)), (2, convNeXtSize([1], [5], kernel: 3, imageSize: 4)),
      (1, convNeXtSize([1], [4], kernel: 7, imageSize: 3)),
      (2, convNeXtSize([1], [3], kernel: 3, imageSize: 2, hasLayerScale: false)),
      (2, convNeXtSize([1], [5], kernel: 3, imageSize: 2, hasLayerScale: false, hasResponseNorm: true)),
    ]
    return cases.map { batch, size in
      let layer = made({ $0.add(size, stage: 0) }) { (reader) throws(WeightsError) in
        try ConvNeXtBlock(&reader, "vision.stage1.blocks.0", stage: 0, number: 0, size)
      }
      let z: Shape = [batch, size.imageSize * size.imageSize, size.widths[0]]
      let variant =
        "\(z), kernel \(size.kernelSize)\(size.hasLayerScale ? "" : ", without a layer scale")"
        + (size.hasResponseNorm ? ", with a response norm" : "")
      return check(variant, layer, ["z": z], scope: .network) { $0($1[0], $2) }
    }
  }

  static var convNeXtStage: [GradientCheck] {
    let size = convNeXtSize([1, 2], [3, 4], kernel: 3, imageSize: 4)
    return [1, 2].map { batch in
      let layer = made({ $0.add(size, stage: 1) }) { (reader) throws(WeightsError) in
        try ConvNeXtStage(&reader, stage: 1, size)
      }
      let x: Shape = [batch, 16, 3]
      return check("\(x), 2 blocks", layer, ["x": x], scope: .network) { $0($1[0], $2) }
    }
  }

  static var convNeXt: [GradientCheck] {
    let cases = [
      (1, convNeXtSize([1], [3], kernel: 3, imageSize: 2, patchSize: 2)),
      (2, convNeXtSize([1, 1], [6, 5], kernel: 3, imageSize: 4)),
    ]
    return cases.map { batch, size in
      let layer = made({ $0.add(size) }) { (reader) throws(WeightsError) in try ConvNeXt(&reader, size) }
      let images: Shape = [batch, 3, size.imageSize, size.imageSize]
      return check("\(images), stages \(size.blocks)", layer, ["images": images], scope: .network) { $0($1[0], $2) }
    }
  }
}
