extension WeightLayout {
  /// OpenAI's own names, which open_clip shares: query, key and value stacked, projections to be applied from the
  /// right.
  public static let openAICLIP = WeightLayout(
    name: "OpenAI CLIP",
    rules: [
      Rule("vision.patchEmbedding", "visual.conv1.weight"),
      Rule("vision.classToken", "visual.class_embedding"),
      Rule("vision.positions", "visual.positional_embedding"),
      Rule("vision.projection", "visual.proj", .transposed),
      Rule("text.tokens", "token_embedding.weight"),
      Rule("text.positions", "positional_embedding"),
      Rule("text.projection", "text_projection", .transposed),
      Rule("logitScale", "logit_scale"),
    ]
      + norm("vision.preNorm", "visual.ln_pre") + norm("vision.postNorm", "visual.ln_post")
      + norm("text.finalNorm", "ln_final")
      + block("vision.blocks.{i}", "visual.transformer.resblocks.{i}", residualBlock)
      + block("text.blocks.{i}", "transformer.resblocks.{i}", residualBlock),
    ignored: ["input_resolution", "context_length", "vocab_size"])

  private static let residualBlock =
    norm("attentionNorm", "ln_1") + norm("mlpNorm", "ln_2")
    + ["query", "key", "value"].enumerated().flatMap { part, name in
      [
        Rule("attention.\(name)", "attn.in_proj_weight", .third(part)),
        Rule("attention.\(name).bias", "attn.in_proj_bias", .third(part)),
      ]
    }
    + linear("attention.output", "attn.out_proj") + linear("mlp.up", "mlp.c_fc") + linear("mlp.down", "mlp.c_proj")
}
