import Formats
import Tensor

/// A family of published checkpoints of image classifiers: its recognition, the inference of its sizes, and its table
/// of names.
struct BackboneFormat: Sendable {
  /// Its name in messages.
  let name: String
  /// A tensor that checkpoints of this family have, and those of no family before it in the list.
  let mark: String
  /// The table, which may depend on shapes.
  let layout: @Sendable (any TensorSource) throws(ConfigurationError) -> WeightLayout
  /// The sizes.
  let configuration: @Sendable (CanonicalShapes, BackboneHints) throws(ConfigurationError) -> ImageConfiguration
  /// The resampling of positions in the library whose names these are.
  var resampling = PositionResampling.timm

  /// All families.
  static let known: [BackboneFormat] = [
    visionTransformer("DINOv3 under its authors' names", "rope_embed.periods", epsilon: 1e-5) {
      .timmVisionTransformer(of: $0)
    },
    visionTransformer("ViT under timm's", "blocks.0.attn.qkv.weight", epsilon: 1e-6) {
      .timmVisionTransformer(of: $0)
    },
    visionTransformer(
      "under Hugging Face's", "encoder.layer.0.layernorm_before.weight", epsilon: 1e-12, .plainBicubic
    ) { .huggingFaceVisionTransformer(of: $0) },
    visionTransformer("DINOv2 under Hugging Face's", "encoder.layer.0.norm1.weight", epsilon: 1e-6, .plainBicubic) {
      .huggingFaceDINOv2(of: $0)
    },
    visionTransformer("DINOv3 under Hugging Face's", "layer.0.attention.q_proj.weight", epsilon: 1e-5) {
      .huggingFaceDINOv3(of: $0)
    },
    visionTransformer("ViT under torchvision's", "encoder.layers.encoder_layer_0.ln_1.weight", epsilon: 1e-6) { _ in
      .torchvisionVisionTransformer
    },
    googleVisionTransformer,
    swin("Swin under its authors' names", "layers.0.downsample.reduction.weight") { .officialSwin(of: $0) },
    swin("under timm's", "layers.0.blocks.0.attn.relative_position_bias_table") { _ in .timmSwin },
    swin("Swin V2 under timm's", "layers.0.blocks.0.attn.cpb_mlp.0.weight") { _ in .timmSwinV2 },
    swin("Swin under Hugging Face's", "encoder.layers.0.blocks.0.layernorm_before.weight") {
      .huggingFaceSwin(of: $0)
    },
    swin("under torchvision's", "features.1.0.attn.relative_position_bias_table") { _ in .torchvisionSwin },
    convNeXt("ConvNeXt under timm's names", "stages.0.blocks.0.conv_dw.weight") { .timmConvNeXt(of: $0) },
    convNeXt("under its authors'", "downsample_layers.0.0.weight") { _ in .officialConvNeXt },
    // Transformers hard-codes 1e-6 but for the last norm, of which the configuration's default is another.
    convNeXt("under Hugging Face's", "encoder.stages.0.layers.0.dwconv.weight", finalEpsilon: 1e-12) { _ in
      .huggingFaceConvNeXt
    },
    convNeXt("under torchvision's", "features.1.0.block.0.weight") { _ in .torchvisionConvNeXt },
  ]

  /// Architectures that are not supported, by the end of the name of a tensor that only they have: their blocks look
  /// like those of a family that is.
  static let refused = [
    "features.1.0.attn.cpb_mlp.0.weight": "Swin V2 under torchvision's names"
  ]

  /// The architecture of a checkpoint if it is one of those that are refused.
  static func refused(_ source: any TensorSource) -> String? {
    source.names.lazy.compactMap { name in refused.first { name.hasSuffix($0.key) }?.value }.first
  }

  /// The family of a checkpoint, and the checkpoint without the prefix of its tower's names.
  ///
  /// - Throws: `ConfigurationError` that lists the known families if it belongs to none, or the towers if it has
  ///   several.
  static func of(_ source: any TensorSource) throws(ConfigurationError) -> (BackboneFormat, TowerPrefix) {
    if let name = refused(source) {
      throw ConfigurationError(
        "\(source.label): expected the tensors of an image classifier (\(known.map(\.name).joined(separator: ", "))), "
          + "found a \(name), which is not supported")
    }
    let prefix = try TowerPrefix(of: source, marks: known.map(\.mark))
    guard let prefix, let found = known.first(where: { prefix.source.shape(of: $0.mark) != nil }) else {
      let shown = source.names.sorted().prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
      throw ConfigurationError(
        "\(source.label): expected the tensors of an image classifier (\(known.map(\.name).joined(separator: ", "))), "
          + "found \(shown.isEmpty ? "no tensor" : "\(shown), …")")
    }
    return (found, prefix)
  }
}

// One family constructor per architecture.

extension BackboneFormat {
  private static func visionTransformer(
    _ name: String, _ mark: String, epsilon: Double, _ resampling: PositionResampling = .timm,
    layout: @escaping @Sendable (any TensorSource) -> WeightLayout
  ) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (source) throws(ConfigurationError) in layout(source) },
      configuration: { (shapes, hints) throws(ConfigurationError) in
        .visionTransformer(try VisionConfiguration(deducedFrom: shapes, hints, epsilon: epsilon))
      }, resampling: resampling)
  }

  /// The number of heads is an extent of the stored kernels.
  private static let googleVisionTransformer: BackboneFormat = {
    let query = "Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel"
    @Sendable func heads(_ source: any TensorSource) throws(ConfigurationError) -> Int {
      guard let kernel = source.shape(of: query), kernel.rank == 3, kernel[1] > 0 else {
        throw ConfigurationError(
          "\(source.label): tensor \"\(query)\": expected [width, heads, head width], "
            + "found \(source.shape(of: query)?.description ?? "no such tensor")")
      }
      return kernel[1]
    }
    return BackboneFormat(
      name: "under Google's", mark: "embedding/kernel",
      layout: { (source) throws(ConfigurationError) in .googleVisionTransformer(heads: try heads(source)) },
      configuration: { (shapes, hints) throws(ConfigurationError) in
        let stored = BackboneHints(heads: try heads(shapes.source))
        guard hints.heads == nil || hints.heads == stored.heads else {
          throw ConfigurationError(
            "\(shapes.source.label): heads: expected \(stored.heads ?? 0), an extent of the stored kernels, "
              + "found \(hints.heads ?? 0)")
        }
        return .visionTransformer(
          try VisionConfiguration(deducedFrom: shapes, hints.filled(from: stored), epsilon: 1e-6))
      })
  }()

  private static func swin(
    _ name: String, _ mark: String, layout: @escaping @Sendable (any TensorSource) -> WeightLayout
  ) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (source) throws(ConfigurationError) in layout(source) },
      configuration: { (shapes, hints) throws(ConfigurationError) in
        .swin(try SwinConfiguration(deducedFrom: shapes, hints, epsilon: 1e-5))
      })
  }

  private static func convNeXt(
    _ name: String, _ mark: String, finalEpsilon: Double? = nil,
    layout: @escaping @Sendable (any TensorSource) -> WeightLayout
  ) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (source) throws(ConfigurationError) in layout(source) },
      configuration: { (shapes, hints) throws(ConfigurationError) in
        .convNeXt(
          try ConvNeXtConfiguration(deducedFrom: shapes, hints, epsilon: 1e-6, finalEpsilon: finalEpsilon))
      })
  }
}
