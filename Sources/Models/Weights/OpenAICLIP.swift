import Formats
import Tensor

extension WeightLayout {
  /// OpenAI's own names of a CLIP with a vision transformer, which open_clip shares: query, key and value stacked,
  /// projections to be applied from the right.
  public static let openAICLIP = WeightLayout(
    name: "OpenAI CLIP", rules: visionTransformer, textTower(""), ignored: sizes)

  /// The same of a CLIP with a ResNet.
  public static let openAIResNetCLIP = WeightLayout(
    name: "OpenAI CLIP with a ResNet", rules: modifiedResNet, textTower(""), ignored: sizes + counters)

  /// open_clip's `CustomTextCLIP`: the same names except for the text tower's, which begin with `text.`.
  public static let customTextCLIP = WeightLayout(
    name: "open_clip CustomTextCLIP", rules: visionTransformer, textTower(customTextPrefix), ignored: sizes)

  /// The same with a ResNet.
  public static let customTextResNetCLIP = WeightLayout(
    name: "open_clip CustomTextCLIP with a ResNet", rules: modifiedResNet, textTower(customTextPrefix),
    ignored: sizes + counters)

  /// The prefix of the text tower's names in a checkpoint with OpenAI's names.
  static func textPrefix(_ source: some TensorSource) -> String {
    source.shape(of: "\(customTextPrefix)token_embedding.weight") == nil ? "" : customTextPrefix
  }

  private static let customTextPrefix = "text."

  private static let visionTransformer = joined(
    [
      Rule("vision.patchEmbedding", "visual.conv1.weight"),
      Rule("vision.classToken", "visual.class_embedding"),
      Rule("vision.positions", "visual.positional_embedding"),
      Rule("vision.projection", "visual.proj", .transposed),
    ], norm("vision.preNorm", "visual.ln_pre"), norm("vision.postNorm", "visual.ln_post"),
    norm(VisionConfiguration.Pooling.normalizedMean.normName, "visual.ln_post"),
    block("vision.blocks.{i}", "visual.transformer.resblocks.{i}", residualBlock))

  /// CLIP's ResNet: every tensor is stored as it is used.
  static let modifiedResNet = joined(
    (1...3).flatMap { number in
      [Rule("vision.stem.convolution\(number)", "visual.conv\(number).weight")]
        + batchNorm("vision.stem.norm\(number)", "visual.bn\(number)")
    },
    (1...4).flatMap { block("vision.stage\($0).blocks.{i}", "visual.layer\($0).{i}", bottleneck) },
    [Rule("vision.attentionPool.positions", "visual.attnpool.positional_embedding")],
    linear("vision.attentionPool.key", "visual.attnpool.k_proj"),
    linear("vision.attentionPool.query", "visual.attnpool.q_proj"),
    linear("vision.attentionPool.value", "visual.attnpool.v_proj"),
    linear("vision.attentionPool.output", "visual.attnpool.c_proj"))

  private static let bottleneck = joined(
    (1...3).flatMap { [Rule("convolution\($0)", "conv\($0).weight")] + batchNorm("norm\($0)", "bn\($0)") },
    [Rule("downsample", "downsample.0.weight")], batchNorm("downsampleNorm", "downsample.1"))

  private static func textTower(_ prefix: String) -> [Rule] {
    joined(
      [
        Rule("text.tokens", "\(prefix)token_embedding.weight"),
        Rule("text.positions", "\(prefix)positional_embedding"),
        Rule("text.projection", "\(prefix)text_projection", .transposed),
        Rule("logitScale", "logit_scale"),
      ], norm("text.finalNorm", "\(prefix)ln_final"),
      block("text.blocks.{i}", "\(prefix)transformer.resblocks.{i}", residualBlock))
  }

  /// Sizes that OpenAI stores with the weights; see `CLIPDirectory.sizeWarnings`.
  private static let sizes = ["input_resolution", "context_length", "vocab_size"]

  /// Counters of the pretraining.
  private static let counters = ["*.num_batches_tracked"]

  private static let residualBlock = joined(
    norm("attentionNorm", "ln_1"), norm("mlpNorm", "ln_2"),
    stackedAttention("attention", "attn.in_proj_weight", bias: "attn.in_proj_bias"),
    linear("attention.output", "attn.out_proj"), linear("mlp.up", "mlp.c_fc"), linear("mlp.down", "mlp.c_proj"),
    // open_clip's alone.
    [Rule("attention.layerScale", "ls_1.gamma"), Rule("mlp.layerScale", "ls_2.gamma")])
}
