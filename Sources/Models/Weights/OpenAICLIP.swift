extension WeightLayout {
  /// OpenAI's own names of a CLIP with a vision transformer, which open_clip shares: query, key and value stacked,
  /// projections to be applied from the right.
  public static let openAICLIP = WeightLayout(
    name: "OpenAI CLIP",
    rules: [
      Rule("vision.patchEmbedding", "visual.conv1.weight"),
      Rule("vision.classToken", "visual.class_embedding"),
      Rule("vision.positions", "visual.positional_embedding"),
      Rule("vision.projection", "visual.proj", .transposed),
    ]
      + norm("vision.preNorm", "visual.ln_pre") + norm("vision.postNorm", "visual.ln_post")
      + block("vision.blocks.{i}", "visual.transformer.resblocks.{i}", residualBlock) + textTower,
    ignored: sizes)

  /// The same of a CLIP with a ResNet.
  public static let openAIResNetCLIP = WeightLayout(
    name: "OpenAI CLIP with a ResNet", rules: modifiedResNet + textTower,
    // Counters of the pretraining.
    ignored: sizes + ["*.num_batches_tracked"])

  /// CLIP's ResNet: every tensor is stored as it is used.
  static let modifiedResNet =
    (1...3).flatMap { number in
      [Rule("vision.stem.convolution\(number)", "visual.conv\(number).weight")]
        + batchNorm("vision.stem.norm\(number)", "visual.bn\(number)")
    }
    + (1...4).flatMap { block("vision.stage\($0).blocks.{i}", "visual.layer\($0).{i}", bottleneck) }
    + [Rule("vision.attentionPool.positions", "visual.attnpool.positional_embedding")]
    + linear("vision.attentionPool.key", "visual.attnpool.k_proj")
    + linear("vision.attentionPool.query", "visual.attnpool.q_proj")
    + linear("vision.attentionPool.value", "visual.attnpool.v_proj")
    + linear("vision.attentionPool.output", "visual.attnpool.c_proj")

  private static let bottleneck =
    (1...3).flatMap { [Rule("convolution\($0)", "conv\($0).weight")] + batchNorm("norm\($0)", "bn\($0)") }
    + [Rule("downsample", "downsample.0.weight")] + batchNorm("downsampleNorm", "downsample.1")

  private static let textTower =
    [
      Rule("text.tokens", "token_embedding.weight"),
      Rule("text.positions", "positional_embedding"),
      Rule("text.projection", "text_projection", .transposed),
      Rule("logitScale", "logit_scale"),
    ] + norm("text.finalNorm", "ln_final") + block("text.blocks.{i}", "transformer.resblocks.{i}", residualBlock)

  /// Sizes that OpenAI stores beside the weights.
  private static let sizes = ["input_resolution", "context_length", "vocab_size"]

  private static let residualBlock =
    norm("attentionNorm", "ln_1") + norm("mlpNorm", "ln_2")
    + stackedAttention("attention", "attn.in_proj_weight", bias: "attn.in_proj_bias")
    + linear("attention.output", "attn.out_proj") + linear("mlp.up", "mlp.c_fc") + linear("mlp.down", "mlp.c_proj")
}
