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
  /// The library whose names these are.
  var library = BackboneDeduction.Library.timm
  /// ε of its norms where nothing else is known.
  var epsilon = 1e-6
  /// The sizes.
  let configuration: @Sendable (inout BackboneDeduction) throws(ConfigurationError) -> ImageConfiguration
  /// The resampling of positions in the library whose names these are.
  var resampling = PositionResampling.timm

  /// All families.
  static let known: [BackboneFormat] = [
    visionTransformer("DINOv3 under its authors' names", "rope_embed.periods", .authors, epsilon: 1e-5) {
      .timmVisionTransformer(of: $0)
    },
    visionTransformer("ViT under timm's", "blocks.0.attn.qkv.weight", .timm) {
      .timmVisionTransformer(of: $0)
    },
    visionTransformer(
      "under Hugging Face's", "encoder.layer.0.layernorm_before.weight", .transformers, epsilon: 1e-12,
      .plainBicubic
    ) { .huggingFaceVisionTransformer(of: $0) },
    visionTransformer("DINOv3 under Hugging Face's", "layer.0.attention.q_proj.weight", .transformers, epsilon: 1e-5) {
      .huggingFaceDINOv3(of: $0)
    },
    visionTransformer("DINOv2 under Hugging Face's", "encoder.layer.0.norm1.weight", .transformers, .plainBicubic) {
      .huggingFaceDINOv2(of: $0)
    },
    visionTransformer("ViT under torchvision's", "encoder.layers.encoder_layer_0.ln_1.weight", .torchvision) { _ in
      .torchvisionVisionTransformer
    },
    googleVisionTransformer,
    swin("Swin under its authors' names", "layers.0.downsample.reduction.weight", .authors) { .officialSwin(of: $0) },
    swin("under timm's", "layers.0.blocks.0.attn.relative_position_bias_table", .timm) { _ in .timmSwin },
    swin("Swin V2 under timm's", "layers.0.blocks.0.attn.cpb_mlp.0.weight", .timm) { _ in .timmSwinV2 },
    swin("Swin under Hugging Face's", "encoder.layers.0.blocks.0.layernorm_before.weight", .transformers) {
      .huggingFaceSwin(of: $0)
    },
    swin("under torchvision's", "features.1.0.attn.relative_position_bias_table", .torchvision) { _ in
      .torchvisionSwin
    },
    swin("Swin V2 under torchvision's", "features.1.0.attn.cpb_mlp.0.weight", .torchvision) { _ in .torchvisionSwinV2 },
    convNeXt("ConvNeXt under timm's names", "stages.0.blocks.0.conv_dw.weight", .timm) { .timmConvNeXt(of: $0) },
    convNeXt("under its authors'", "downsample_layers.0.0.weight", .authors) { _ in .officialConvNeXt },
    convNeXt("under Hugging Face's", "encoder.stages.0.layers.0.dwconv.weight", .transformers) { _ in
      .huggingFaceConvNeXt
    },
    convNeXt("under torchvision's", "features.1.0.block.0.weight", .torchvision) { _ in .torchvisionConvNeXt },
  ]

  /// Architectures that are not supported, by the end of the name of a tensor that only they have: their blocks look
  /// like those of a family that is.
  static let refused: KeyValuePairs = [
    "attn.meta_mlp.fc1.weight": "Swin V2 CR of timm", "blocks_token_only.0.gamma_1": "CaiT",
    "blocks.0.attn.temperature": "XCiT", "pos_embed_window": "Hiera of SAM 2", "blocks.1.proj.weight": "Hiera",
    "blocks.2.proj.weight": "Hiera", "attn.rel_pos_h": "ViT with decomposed relative positions (SAM, MViT v2)",
    "attn.rel_pos.mlp.fc1.weight": "ViT with relative positions of timm",
    "patch_embed.backbone.stem.conv1.weight": "ViTamin", "patch_embed.backbone.stem.conv.weight": "ViT after a ResNet",
    "patch_embed.backbone.conv1.weight": "ViT after a ResNet", "embeds.proj.weight": "NaFlexViT",
    "xca.temperature": "EdgeNeXt",
    "transformers.0.blocks.0.attn.qkv.weight": "PiT", "stem.2.weight": "ConvNeXt with an overlapping stem",
    "blocks.0.mlp.norm.weight": "ViT with norms inside of its MLPs (BEiT-3, EVA-02)",
    "layers.0.rms_norm1.weight": "ViT with RMS norms (AIMv2)", "blocks.0.norm_1.weight": "ViT with RMS norms (AIMv2)",
  ]

  /// The architecture of a checkpoint if it is one of those that are refused.
  static func refused(_ source: any TensorSource) -> String? {
    let names = source.names
    if let found = names.lazy.compactMap({ name in refused.first { name.hasSuffix($0.key) }?.value }).first {
      return found
    }
    func has(_ ending: String) -> Bool { names.contains { $0.hasSuffix(ending) } }
    // Norms without biases are RMS norms.
    if has("blocks.0.norm1.weight"), !has("blocks.0.norm1.bias") { return "ViT with RMS norms (AIMv2)" }
    if has("stem.1.weight"), !has("stem.1.bias") { return "ConvNeXt with RMS norms (convnext_zepto_rms)" }
    if has(".0.attention.q_proj.weight"), has("patch_embeddings.projection.weight") {
      return "model with the names that it has in the memory of transformers 5, which save_pretrained replaces"
    }
    return nil
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
    guard let prefix, var found = known.first(where: { prefix.source.shape(of: $0.mark) != nil }) else {
      let shown = source.names.sorted().prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
      throw ConfigurationError(
        "\(source.label): expected the tensors of an image classifier (\(known.map(\.name).joined(separator: ", "))), "
          + "found \(shown.isEmpty ? "no tensor" : "\(shown), …")")
    }
    // transformers resizes the positions of a DINOv2 with registers with antialiasing, as timm does.
    if found.resampling == .plainBicubic, prefix.source.shape(of: "embeddings.register_tokens") != nil {
      found.resampling = .timm
    }
    return (found, prefix)
  }
}

// One family constructor per architecture.

extension BackboneFormat {
  private static func visionTransformer(
    _ name: String, _ mark: String, _ library: BackboneDeduction.Library, epsilon: Double = 1e-6,
    _ resampling: PositionResampling = .timm, layout: @escaping @Sendable (any TensorSource) -> WeightLayout
  ) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (source) throws(ConfigurationError) in layout(source) }, library: library,
      epsilon: epsilon,
      configuration: { (sizes) throws(ConfigurationError) in .visionTransformer(try sizes.visionTransformer()) },
      resampling: resampling)
  }

  /// The number of heads is an extent of the stored kernels.
  private static let googleVisionTransformer = BackboneFormat(
    name: "under Google's", mark: "embedding/kernel",
    layout: { (source) throws(ConfigurationError) in
      .googleVisionTransformer(heads: try WeightLayout.googleHeads(source))
    }, library: .authors,
    configuration: { (sizes) throws(ConfigurationError) in .visionTransformer(try sizes.visionTransformer()) })

  private static func swin(
    _ name: String, _ mark: String, _ library: BackboneDeduction.Library,
    layout: @escaping @Sendable (any TensorSource) -> WeightLayout
  ) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (source) throws(ConfigurationError) in layout(source) }, library: library,
      epsilon: 1e-5, configuration: { (sizes) throws(ConfigurationError) in .swin(try sizes.swin()) })
  }

  private static func convNeXt(
    _ name: String, _ mark: String, _ library: BackboneDeduction.Library,
    layout: @escaping @Sendable (any TensorSource) -> WeightLayout
  ) -> BackboneFormat {
    BackboneFormat(
      name: name, mark: mark, layout: { (source) throws(ConfigurationError) in layout(source) }, library: library,
      configuration: { (sizes) throws(ConfigurationError) in .convNeXt(try sizes.convNeXt()) })
  }
}
