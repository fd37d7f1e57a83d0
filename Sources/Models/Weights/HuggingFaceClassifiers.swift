import Formats

// Image classifiers of Hugging Face transformers. Names of a model without its head, `ViTModel`, lack the first word,
// which is stripped everywhere (`BackboneFormat.prefixes`).

extension WeightLayout {
  /// `ViTModel`, `ViTForImageClassification`, `ViTMAEModel`, `ViTMAEForPreTraining`, `DeiTModel` and the `BeitModel`
  /// whose blocks have tables of their own.
  static let huggingFaceVisionTransformer = huggingFaceVisionTransformer(isDeiT: false)

  /// The same; `DeiTForImageClassificationWithTeacher` has two heads, which are averaged, and the others read the class
  /// token.
  static func huggingFaceVisionTransformer(of source: any TensorSource) -> WeightLayout {
    huggingFaceVisionTransformer(isDeiT: source.shape(of: "cls_classifier.weight") != nil)
  }

  private static func huggingFaceVisionTransformer(isDeiT: Bool) -> WeightLayout {
    WeightLayout(
      name: "Hugging Face ViT",
      rules: embeddings, linear("vision.patchEmbedding", "embeddings.patch_embeddings.projection"),
      block(
        "vision.blocks.{i}", "encoder.layer.{i}", encoderBlock,
        [
          Rule("attention.layerScale", "lambda_1"), Rule("mlp.layerScale", "lambda_2"),
          Rule(
            "attention.positionBias",
            "attention.attention.relative_position_bias.relative_position_bias_table"),
        ]), norm("vision.postNorm", "layernorm"), norm("vision.pooledNorm", "pooler.layernorm"),
      linear("head", isDeiT ? "cls_classifier" : "classifier"),
      isDeiT ? linear("head.distillation", "distillation_classifier") : [],
      // A map of the class token that classifiers do not use, and the token of masked patches.
      ignored: [
        "pooler.dense.weight", "pooler.dense.bias", "embeddings.mask_token", "*.relative_position_index",
      ],
      leftAside: [
        Part(name: "the decoder of MAE's pretraining", patterns: ["decoder.*", "mask_token"])
      ])
  }

  /// `Dinov2Model`, `Dinov2WithRegistersModel`. Their classifiers read the class token and the mean of the patches, two
  /// widths (`TokenPairTower`); with zeros for the second they are heads of the features.
  static func huggingFaceDINOv2(of source: any TensorSource) -> WeightLayout {
    let isGated = source.shape(of: "encoder.layer.0.mlp.weights_in.weight") != nil
    return WeightLayout(
      name: "Hugging Face DINOv2",
      rules: embeddings, linear("vision.patchEmbedding", "embeddings.patch_embeddings.projection"),
      block(
        "vision.blocks.{i}", "encoder.layer.{i}", scaledBranches, selfAttention("attention.attention"),
        isGated ? stackedPair("mlp.gate", "mlp.up", "mlp.weights_in") : linear("mlp.up", "mlp.fc1"),
        linear("mlp.down", isGated ? "mlp.weights_out" : "mlp.fc2")),
      norm("vision.postNorm", "layernorm"), linear("head", "classifier"), ignored: ["embeddings.mask_token"])
  }

  /// `DINOv3ViTModel`, without the prefix that its blocks have in memory since transformers 5.
  static func huggingFaceDINOv3(of source: any TensorSource) -> WeightLayout {
    let isGated = source.shape(of: "layer.0.mlp.gate_proj.weight") != nil
    return WeightLayout(
      name: "Hugging Face DINOv3",
      rules: embeddings, linear("vision.patchEmbedding", "embeddings.patch_embeddings"),
      block(
        "vision.blocks.{i}", "layer.{i}", scaledBranches,
        ["query", "key", "value", "output"].flatMap { linear("attention.\($0)", "attention.\($0.prefix(1))_proj") },
        isGated ? linear("mlp.gate", "mlp.gate_proj") : [], linear("mlp.up", "mlp.up_proj"),
        linear("mlp.down", "mlp.down_proj")),
      norm("vision.postNorm", "norm"), ignored: ["embeddings.mask_token"])
  }

  /// Norms and layer scales of a block of DINOv2 and DINOv3.
  private static let scaledBranches =
    norm("attentionNorm", "norm1") + norm("mlpNorm", "norm2")
    + [Rule("attention.layerScale", "layer_scale1.lambda1"), Rule("mlp.layerScale", "layer_scale2.lambda1")]

  private static let embeddings = [
    Rule("vision.classToken", "embeddings.cls_token", .nested(2)),
    Rule("vision.distillationToken", "embeddings.distillation_token", .nested(2)),
    Rule("vision.registers", "embeddings.register_tokens", .nested(1)),
    Rule("vision.positions", "embeddings.position_embeddings", .nested(1)),
  ]

  /// `SwinModel` and `SwinForImageClassification`: a merging belongs to the stage before it.
  static let huggingFaceSwin = huggingFaceSwin(
    "Swin", [Rule("attention.positionBias", "attention.self.relative_position_bias_table")])

  /// `Swinv2Model` and `Swinv2ForImageClassification`.
  static let huggingFaceSwinV2 = huggingFaceSwin(
    "Swin V2",
    positionNetwork("attention.self.continuous_position_bias_mlp", scale: "attention.self.logit_scale"))

  /// The names of either version.
  static func huggingFaceSwin(of source: any TensorSource) -> WeightLayout {
    source.shape(of: "encoder.layers.0.blocks.0.attention.self.logit_scale") == nil
      ? huggingFaceSwin : huggingFaceSwinV2
  }

  private static func huggingFaceSwin(_ name: String, _ positions: [Rule]) -> WeightLayout {
    WeightLayout(
      name: "Hugging Face \(name)",
      rules: linear("vision.patchEmbedding", "embeddings.patch_embeddings.projection"),
      norm("vision.patchNorm", "embeddings.norm"),
      (1...4).flatMap { stage in
        let stored = "encoder.layers.\(stage - 1)"
        return joined(
          block("vision.stage\(stage + 1).merging", "\(stored).downsample", merging),
          block(
            "vision.stage\(stage).blocks.{i}", "\(stored).blocks.{i}",
            encoderBlock(attention: "attention.self"), positions))
      },
      norm("vision.postNorm", "layernorm"), linear("head", "classifier"),
      ignored: ["*.relative_position_index", "*.relative_coords_table", "embeddings.mask_token"])
  }

  private static let encoderBlock = encoderBlock(attention: "attention.attention")

  private static func encoderBlock(attention: String) -> [Rule] {
    joined(
      norm("attentionNorm", "layernorm_before"), norm("mlpNorm", "layernorm_after"), selfAttention(attention),
      linear("mlp.up", "intermediate.dense"), linear("mlp.down", "output.dense"))
  }

  private static func selfAttention(_ stored: String) -> [Rule] {
    joined(
      linear("attention.query", "\(stored).query"), linear("attention.key", "\(stored).key"),
      linear("attention.value", "\(stored).value"), linear("attention.output", "attention.output.dense"))
  }

  /// Norm and map of a `PatchMerging` of Swin.
  static let merging = norm("norm", "norm") + [Rule("reduction", "reduction.weight")]
}
