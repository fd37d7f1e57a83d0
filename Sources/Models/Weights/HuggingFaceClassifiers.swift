// Image classifiers of Hugging Face transformers. Names of a model without its head, `ViTModel`, lack the first word,
// which is stripped everywhere (`BackboneFormat.prefixes`).

extension WeightLayout {
  /// `ViTModel`, `ViTForImageClassification`, `ViTMAEModel` and `ViTMAEForPreTraining`.
  static let huggingFaceVisionTransformer = WeightLayout(
    name: "Hugging Face ViT",
    rules: [
      Rule("vision.classToken", "embeddings.cls_token", .nested(2)),
      Rule("vision.positions", "embeddings.position_embeddings", .nested(1)),
    ],
    linear("vision.patchEmbedding", "embeddings.patch_embeddings.projection"),
    block("vision.blocks.{i}", "encoder.layer.{i}", encoderBlock), norm("vision.postNorm", "layernorm"),
    linear("head", "classifier"),
    // A map of the class token that classifiers do not use, and the token of masked patches.
    ignored: ["pooler.dense.weight", "pooler.dense.bias", "embeddings.mask_token"],
    leftAside: [Part(name: "the decoder of MAE's pretraining", patterns: ["decoder.*", "mask_token"])])

  /// `SwinModel` and `SwinForImageClassification`: a merging belongs to the stage before it.
  static let huggingFaceSwin = WeightLayout(
    name: "Hugging Face Swin",
    rules: linear("vision.patchEmbedding", "embeddings.patch_embeddings.projection"),
    norm("vision.patchNorm", "embeddings.norm"),
    (1...4).flatMap { stage in
      let stored = "encoder.layers.\(stage - 1)"
      return joined(
        block("vision.stage\(stage + 1).merging", "\(stored).downsample", merging),
        block(
          "vision.stage\(stage).blocks.{i}", "\(stored).blocks.{i}",
          encoderBlock(attention: "attention.self"),
          [Rule("attention.positionBias", "attention.self.relative_position_bias_table")]))
    },
    norm("vision.postNorm", "layernorm"), linear("head", "classifier"),
    ignored: ["*.relative_position_index", "embeddings.mask_token"])

  /// `ConvNextModel` and `ConvNextForImageClassification`.
  static let huggingFaceConvNeXt = WeightLayout(
    name: "Hugging Face ConvNeXt",
    rules: linear("vision.patchEmbedding", "embeddings.patch_embeddings"),
    norm("vision.patchNorm", "embeddings.layernorm"),
    (1...4).flatMap { stage in
      let stored = "encoder.stages.\(stage - 1)"
      return joined(
        block("vision.stage\(stage).downsampling", "\(stored).downsampling_layer", downsampling),
        block(
          "vision.stage\(stage).blocks.{i}", "\(stored).layers.{i}",
          linear("depthwise", "dwconv"), norm("norm", "layernorm"), linear("mlp.up", "pwconv1"),
          linear("mlp.down", "pwconv2"), [Rule("layerScale", "layer_scale_parameter")]))
    },
    norm("vision.postNorm", "layernorm"), linear("head", "classifier"), ignored: [])

  private static let encoderBlock = encoderBlock(attention: "attention.attention")

  private static func encoderBlock(attention: String) -> [Rule] {
    joined(
      norm("attentionNorm", "layernorm_before"), norm("mlpNorm", "layernorm_after"),
      linear("attention.query", "\(attention).query"), linear("attention.key", "\(attention).key"),
      linear("attention.value", "\(attention).value"), linear("attention.output", "attention.output.dense"),
      linear("mlp.up", "intermediate.dense"), linear("mlp.down", "output.dense"))
  }

  /// Norm and map of a `PatchMerging` of Swin.
  static let merging = norm("norm", "norm") + [Rule("reduction", "reduction.weight")]

  /// Norm and convolution between two stages of a ConvNeXt, a list of two layers.
  static let downsampling =
    norm("norm", "0")
    + [Rule("reduction", "1.weight", .neighboursLast), Rule("reduction.bias", "1.bias")]
}
