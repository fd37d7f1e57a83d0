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

  /// All families.
  static let known: [BackboneFormat] = [
    visionTransformer("ViT under timm's names", "blocks.0.attn.qkv.weight", .timmVisionTransformer, epsilon: 1e-6),
    visionTransformer(
      "under Hugging Face's", "encoder.layer.0.layernorm_before.weight", .huggingFaceVisionTransformer,
      epsilon: 1e-12),
    googleVisionTransformer,
    swin("Swin under its authors' names", "layers.0.downsample.reduction.weight", .officialSwin),
    swin("under timm's", "layers.0.blocks.0.attn.relative_position_bias_table", .timmSwin),
    swin("under Hugging Face's", "encoder.layers.0.blocks.0.layernorm_before.weight", .huggingFaceSwin),
    convNeXt("ConvNeXt under timm's names", "stages.0.blocks.0.conv_dw.weight", .timmConvNeXt),
    convNeXt("under its authors'", "downsample_layers.0.0.weight", .officialConvNeXt),
    // Transformers hard-codes 1e-6 but for the last norm, of which the configuration's default is another.
    convNeXt(
      "under Hugging Face's", "encoder.stages.0.layers.0.dwconv.weight", .huggingFaceConvNeXt, finalEpsilon: 1e-12),
  ]

  /// Prefixes that all names of a tower may share: its path in the trained model, or in a wrapper.
  static let prefixes = [
    "", "module.", "model.", "vit.", "swin.", "convnext.",
    // The encoder of MoCo v3's pretraining, which also has a second one that follows it; as stored, and as read
    // from a PyTorch file, which takes off a word that all names begin with.
    "module.base_encoder.", "base_encoder.",
  ]

  /// The family of a checkpoint, and the checkpoint without the prefix of its tower's names.
  ///
  /// - Throws: `ConfigurationError` that lists the known families if it belongs to none.
  static func of(_ source: any TensorSource) throws(ConfigurationError) -> (BackboneFormat, any TensorSource) {
    for prefix in prefixes {
      let stripped: any TensorSource = prefix.isEmpty ? source : StrippedSource(source, prefix: prefix)
      if let found = known.first(where: { stripped.shape(of: $0.mark) != nil }) { return (found, stripped) }
    }
    let shown = source.names.sorted().prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
    throw ConfigurationError(
      "\(source.label): expected the tensors of an image classifier (\(known.map(\.name).joined(separator: ", "))), "
        + "found \(shown.isEmpty ? "no tensor" : "\(shown), …")")
  }
}

// One family constructor per architecture.

extension BackboneFormat {
  private static func visionTransformer(
    _ name: String, _ mark: String, _ layout: WeightLayout, epsilon: Double
  ) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (_) throws(ConfigurationError) in layout },
      configuration: { (shapes, hints) throws(ConfigurationError) in
        .visionTransformer(try VisionConfiguration(deducedFrom: shapes, hints, epsilon: epsilon))
      })
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

  private static func swin(_ name: String, _ mark: String, _ layout: WeightLayout) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (_) throws(ConfigurationError) in layout },
      configuration: { (shapes, hints) throws(ConfigurationError) in
        .swin(try SwinConfiguration(deducedFrom: shapes, hints, epsilon: 1e-5))
      })
  }

  private static func convNeXt(
    _ name: String, _ mark: String, _ layout: WeightLayout, finalEpsilon: Double? = nil
  ) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (_) throws(ConfigurationError) in layout },
      configuration: { (shapes, hints) throws(ConfigurationError) in
        .convNeXt(
          try ConvNeXtConfiguration(deducedFrom: shapes, hints, epsilon: 1e-6, finalEpsilon: finalEpsilon))
      })
  }
}
