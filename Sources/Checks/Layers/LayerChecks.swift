import Models
import Tensor

/// The finite-difference checks of all layers: every input and every frozen tensor of each.
///
/// Weights are random and small: widths are odd or prime, sequences have one token or several, batches one or two.
package enum LayerChecks {
  /// All checks, layer by layer; the name of each begins with that of its layer.
  package static var all: [GradientCheck] { Layer.allCases.flatMap(checks) }

  /// The checks of one layer.
  package static func checks(of layer: Layer) -> [GradientCheck] {
    switch layer {
    case .linear: linear
    case .layerNorm: layerNorm
    case .patchEmbedding: patchEmbedding
    case .convolution: convolution
    case .batchNorm: batchNorm
    case .transformerBlock: transformerBlock
    case .bottleneck: bottleneck
    case .attentionPool: attentionPool
    case .latentPool: latentPool
    case .visionTransformer: visionTransformer
    case .patchMerging: patchMerging
    case .continuousPositionBias: continuousPositionBias
    case .swinBlock: swinBlock
    case .swinStage: swinStage
    case .swin: swin
    case .responseNorm: responseNorm
    case .convNeXtBlock: convNeXtBlock
    case .convNeXtDownsampling: convNeXtDownsampling
    case .convNeXtStage: convNeXtStage
    case .convNeXt: convNeXt
    case .modifiedResNet: modifiedResNet
    case .textTransformer: textTransformer
    case .clip: clip
    }
  }

  /// A check of a layer by its inputs and by all its tensors, each replaced at its site.
  static func check<Part: ParameterizedLayer>(
    _ variant: String, _ part: Part, _ inputs: KeyValuePairs<String, Shape>,
    scope: GradientCheck.Scope = .operation, _ output: @escaping @Sendable (Part, [Variable], Pass) -> Variable
  ) -> GradientCheck {
    let parameters = part.parameters
    let given = inputs.enumerated().map { position, input in
      (name: input.key, value: CheckNumbers(seed: UInt64(position + 1)).tensor(input.value))
    }
    let all = given + parameters.map { (name: $0.site.name, value: $0.value) }
    return GradientCheck("\(Part.layer.rawValue)/\(variant)", all, scope: scope) { values in
      let replaced = zip(parameters, values.dropFirst(given.count)).map { ($0.site, Tuning.replaced($1)) }
      return output(part, values, Pass(tunings: Dictionary(uniqueKeysWithValues: replaced)))
    }
  }

  /// A layer read from random weights, which hold everything it needs.
  static func made<Part>(
    _ add: (inout ParameterShapes) -> Void, _ read: (inout WeightReader) throws(WeightsError) -> Part
  ) -> Part {
    var shapes = ParameterShapes()
    add(&shapes)
    var reader = RandomWeights(shapes, seed: 0xC11F).reader
    do throws(WeightsError) { return try read(&reader) } catch { trap("LayerChecks: \(error)") }
  }
}

// MARK: Layers

extension LayerChecks {
  private static var linear: [GradientCheck] {
    let shapes: [(x: Shape, out: Int)] = [
      ([1, 1, 1], 1), ([1, 1, 7], 3), ([2, 5, 17], 33), ([2, 3, 16], 5), ([1, 4, 3], 1), ([0, 4, 3], 2),
    ]
    return shapes.flatMap { x, out in
      [true, false].map { hasBias in
        let (site, width) = (hasBias ? "vision.blocks.0.mlp.up" : "vision.projection", x.width)
        let layer = made({ $0.addLinear(site, from: width, to: out, hasBias: hasBias) }) {
          (reader) throws(WeightsError) in
          try Linear(&reader, site, hasBias ? .mlpUp : .projection, from: width, to: out, hasBias: hasBias)
        }
        return check("\(x)→\(out)\(hasBias ? "" : " without bias")", layer, ["x": x]) { $0($1[0], $2) }
      }
    }
  }

  private static var layerNorm: [GradientCheck] {
    let shapes: [Shape] = [[1, 1, 3], [1, 1, 7], [2, 5, 17], [2, 3, 16], [1, 1, 1], [0, 2, 5]]
    return shapes.flatMap { x in
      [1e-5, 1e-6].map { epsilon in
        let layer = made({ $0.addNorm("vision.preNorm", width: x.width) }) { (reader) throws(WeightsError) in
          try LayerNorm(&reader, "vision.preNorm", width: x.width, epsilon: epsilon)
        }
        return check("\(x), epsilon \(epsilon)", layer, ["x": x]) { $0($1[0], $2) }
      }
    }
  }

  private static var patchEmbedding: [GradientCheck] {
    let cases: [(images: Shape, width: Int, size: Int)] = [
      ([1, 3, 1, 1], 1, 1), ([2, 3, 4, 6], 5, 2), ([1, 3, 7, 7], 17, 3), ([2, 3, 3, 3], 2, 1), ([0, 3, 2, 2], 3, 2),
    ]
    return cases.flatMap { images, width, size in
      [true, false].map { hasBias in
        let layer = made({ $0.addPatchEmbedding(width: width, size: size, hasBias: hasBias) }) {
          (reader) throws(WeightsError) in
          try PatchEmbedding(&reader, width: width, size: size, hasBias: hasBias)
        }
        return check("\(images)→\(width) by \(size)\(hasBias ? "" : " without bias")", layer, ["images": images]) {
          $0($1[0], $2)
        }
      }
    }
  }

  private static var transformerBlock: [GradientCheck] {
    let shapes: [(z: Shape, hidden: Int, heads: Int)] = [
      ([1, 1, 3], 5, 1), ([1, 1, 6], 7, 2), ([2, 1, 5], 3, 5), ([1, 5, 6], 11, 3), ([2, 7, 3], 5, 1),
      ([2, 3, 10], 7, 2),
    ]
    let plain = shapes.flatMap { z, hidden, heads in
      Activation.allCases.flatMap { activation in
        [false, true].map { isCausal in
          let size = TransformerConfiguration(
            width: z.width, hiddenWidth: hidden, blocks: 1, heads: heads, activation: activation, epsilon: 1e-5)
          let layer = made({ $0.addBlock("vision.blocks.0", size) }) { (reader) throws(WeightsError) in
            try TransformerBlock(&reader, tower: "vision", index: 0, size, isCausal: isCausal)
          }
          let variant = "\(z), hidden \(hidden), heads \(heads), \(activation.rawValue)\(isCausal ? ", causal" : "")"
          return check(variant, layer, ["z": z], scope: .network) { $0($1[0], $2) }
        }
      }
    }
    return plain + transformerBlockForms + transformerBlockRotations
  }
}

// MARK: Networks

extension LayerChecks {
  private static func transformer(
    _ width: Int, _ blocks: Int, heads: Int, _ activation: Activation = .quickGELU
  ) -> TransformerConfiguration {
    TransformerConfiguration(
      width: width, hiddenWidth: width + 2, blocks: blocks, heads: heads, activation: activation, epsilon: 1e-5)
  }

  private static var visionTransformer: [GradientCheck] {
    typealias Form = VisionConfiguration.Form
    let withoutToken = Form(
      hasPatchBias: true, hasPreNorm: false, hasClassToken: false, pooling: .meanOfNormalized)
    let pooledLast = Form(hasPatchBias: true, hasPreNorm: true, hasClassToken: true, pooling: .normalizedMean)
    let cases: [(batch: Int, size: VisionConfiguration, embedding: Int?)] = [
      (1, VisionConfiguration(transformer: transformer(3, 1, heads: 1), imageSize: 1, patchSize: 1), 1),
      (1, VisionConfiguration(transformer: transformer(6, 2, heads: 2), imageSize: 4, patchSize: 2), 5),
      (2, VisionConfiguration(transformer: transformer(5, 2, heads: 5, .gelu), imageSize: 3, patchSize: 1), 7),
      // A border of one pixel that no patch covers.
      (2, VisionConfiguration(transformer: transformer(7, 1, heads: 1, .geluTanh), imageSize: 5, patchSize: 2), 3),
      (2, VisionConfiguration(transformer: transformer(3, 0, heads: 1), imageSize: 2, patchSize: 2), 2),
      (
        2, VisionConfiguration(transformer: transformer(6, 2, heads: 3), imageSize: 4, patchSize: 2, form: .classifier),
        nil
      ),
      (
        1,
        VisionConfiguration(transformer: transformer(5, 1, heads: 1), imageSize: 3, patchSize: 1, form: withoutToken),
        nil
      ),
      (
        2, VisionConfiguration(transformer: transformer(4, 1, heads: 2), imageSize: 4, patchSize: 2, form: pooledLast),
        nil
      ),
    ]
    let plain = cases.map { batch, size, embedding in
      let layer = made({ $0.add(size, embedding: embedding) }) { (reader) throws(WeightsError) in
        try VisionTransformer(&reader, size, embedding: embedding)
      }
      let images: Shape = [batch, 3, size.imageSize, size.imageSize]
      let form = size.form == .clip ? "" : ", \(size.form.pooling.rawValue)"
      return check("\(images), \(title(size.transformer))\(form)", layer, ["images": images], scope: .network) {
        $0($1[0], $2)
      }
    }
    return plain + visionTransformerForms
  }

  private static var textTransformer: [GradientCheck] {
    let cases: [(ids: [[Int32]], ends: [Int], TransformerConfiguration, embedding: Int)] = [
      ([[2]], [0], transformer(3, 1, heads: 1), 1),
      // A token twice in a row, one in both rows, and tokens after the end, whose gradients are zero.
      ([[0, 4, 4, 6], [0, 3, 6, 6]], [3, 2], transformer(6, 2, heads: 3), 5),
      ([[0, 1, 2, 3, 6]], [4], transformer(5, 2, heads: 1, .gelu), 3),
      ([[1, 6], [5, 6]], [1, 1], transformer(4, 0, heads: 1), 2),
    ]
    return cases.map { ids, ends, size, embedding in
      let configuration = TextConfiguration(transformer: size, vocabulary: 7, contextLength: 5)
      let layer = made({ $0.add(configuration, embedding: embedding) }) { (reader) throws(WeightsError) in
        try TextTransformer(&reader, configuration, embedding: embedding)
      }
      return check("[\(ids.count), \(ids[0].count)] ids, \(title(size))", layer, [:], scope: .network) {
        $0(ids, ends: ends, $2)
      }
    }
  }

  /// The logits of images against texts: all tensors of both towers, and the scale.
  private static var clip: [GradientCheck] {
    let texts: [[Int32]] = [[0, 1, 6], [0, 2, 6], [0, 6, 6]]
    let ends = [2, 2, 1]
    let towers: [(String, ImageConfiguration)] = [
      (
        "",
        .visionTransformer(VisionConfiguration(transformer: transformer(6, 2, heads: 2), imageSize: 4, patchSize: 2))
      ),
      (" by a ResNet", .resNet(ResNetConfiguration(stages: [1], width: 2, heads: 2, imageSize: 4))),
    ]
    return [1, 2].flatMap { batch in
      towers.map { (batch, $0.0, $0.1) }
    }.map { batch, name, tower in
      let configuration = CLIPConfiguration(
        vision: tower,
        text: TextConfiguration(transformer: transformer(5, 1, heads: 1), vocabulary: 7, contextLength: 4), embedding: 5
      )
      let images: Shape = [batch, 3, tower.imageSize, tower.imageSize]
      return check(
        "\(images)\(name) against [3, 3] ids", CLIP.random(configuration, seed: 3), ["images": images],
        scope: .network
      ) { model, values, pass in
        model.logits(model.vision(values[0], pass), classifier: model.text(texts, ends: ends, pass), pass)
      }
    }
  }

  private static func title(_ size: TransformerConfiguration) -> String {
    "width \(size.width), \(size.blocks) \(size.blocks == 1 ? "block" : "blocks"), \(size.activation.rawValue)"
  }
}
