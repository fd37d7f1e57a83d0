extension WeightLayout {
  /// `SwinTransformer` of timm since 0.9: a merging belongs to the stage after it.
  static let timmSwin = swin("timm", mergingBelongsTo: { $0 - 1 }, head: "head.fc")

  /// The released code of Swin (Liu et al. 2021), and timm before 0.9: a merging belongs to the stage before it.
  static let officialSwin = swin("Swin's authors", mergingBelongsTo: { $0 - 2 }, head: "head")

  private static func swin(_ name: String, mergingBelongsTo stored: (Int) -> Int, head: String) -> WeightLayout {
    WeightLayout(
      name: name,
      rules: linear("vision.patchEmbedding", "patch_embed.proj"), norm("vision.patchNorm", "patch_embed.norm"),
      (2...4).flatMap { block("vision.stage\($0).merging", "layers.\(stored($0)).downsample", merging) },
      (1...4).flatMap { block("vision.stage\($0).blocks.{i}", "layers.\($0 - 1).blocks.{i}", swinBlock) },
      norm("vision.postNorm", "norm"), linear("head", head),
      // Tables calculated from the sizes.
      ignored: ["*.relative_position_index", "*.attn_mask"])
  }

  private static let swinBlock = joined(
    norm("attentionNorm", "norm1"), stackedAttention("attention", "attn.qkv.weight", bias: "attn.qkv.bias"),
    linear("attention.output", "attn.proj"),
    [Rule("attention.positionBias", "attn.relative_position_bias_table")],
    norm("mlpNorm", "norm2"), linear("mlp.up", "mlp.fc1"), linear("mlp.down", "mlp.fc2"))
}
