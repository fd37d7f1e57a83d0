// Image classifiers of torchvision, whose layers are known by their index in a list.

extension WeightLayout {
  /// `VisionTransformer` of torchvision.
  static let torchvisionVisionTransformer = WeightLayout(
    name: "torchvision",
    rules: [
      Rule("vision.classToken", "class_token", .nested(2)),
      Rule("vision.positions", "encoder.pos_embedding", .nested(1)),
    ],
    linear("vision.patchEmbedding", "conv_proj"),
    block(
      "vision.blocks.{i}", "encoder.layers.encoder_layer_{i}",
      norm("attentionNorm", "ln_1"),
      stackedAttention("attention", "self_attention.in_proj_weight", bias: "self_attention.in_proj_bias"),
      linear("attention.output", "self_attention.out_proj"), norm("mlpNorm", "ln_2"), linear("mlp.up", "mlp.0"),
      linear("mlp.down", "mlp.3")),
    norm("vision.postNorm", "encoder.ln"), linear("head", "heads.head"), ignored: [])

  /// `SwinTransformer` of torchvision: a merging is a layer between two stages.
  static let torchvisionSwin = torchvisionSwin(
    stackedAttention("attention", "attn.qkv.weight", bias: "attn.qkv.bias"),
    [Rule("attention.positionBias", "attn.relative_position_bias_table")])

  /// Version 2, in which the key's third of the biases counts as zero, whatever is stored.
  static let torchvisionSwinV2 = torchvisionSwin(
    stackedWeights("attention", "attn.qkv.weight"),
    [
      Rule("attention.query.bias", "attn.qkv.bias", .third(0)),
      Rule("attention.value.bias", "attn.qkv.bias", .third(2)),
    ],
    positionNetwork("attn.cpb_mlp", scale: "attn.logit_scale"))

  private static func torchvisionSwin(_ attention: [Rule]...) -> WeightLayout {
    let parts = joined(
      norm("attentionNorm", "norm1"), linear("attention.output", "attn.proj"), norm("mlpNorm", "norm2"),
      linear("mlp.up", "mlp.0"), linear("mlp.down", "mlp.3"))
    return WeightLayout(
      name: "torchvision",
      rules: linear("vision.patchEmbedding", "features.0.0"), norm("vision.patchNorm", "features.0.2"),
      (2...4).flatMap { block("vision.stage\($0).merging", "features.\(2 * $0 - 2)", merging) },
      (1...4).flatMap { stage in
        block("vision.stage\(stage).blocks.{i}", "features.\(2 * stage - 1).{i}", attention.flatMap(\.self) + parts)
      },
      norm("vision.postNorm", "norm"), linear("head", "head"),
      ignored: ["*.relative_position_index", "*.relative_coords_table"])
  }
}
