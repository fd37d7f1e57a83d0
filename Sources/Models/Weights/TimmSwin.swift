import Formats

extension WeightLayout {
  /// `SwinTransformer` of timm since 0.9: a merging belongs to the stage after it.
  static let timmSwin = swin("timm", mergingBelongsTo: { $0 - 1 }, head: "head.fc", swinBlock)

  /// `SwinTransformerV2` of timm since 0.9.
  static let timmSwinV2 = swin("timm", mergingBelongsTo: { $0 - 1 }, head: "head.fc", swinV2Block)

  /// The released code of Swin (Liu et al. 2021), and timm before 0.9: a merging belongs to the stage before it.
  static let officialSwin = swin("Swin's authors", mergingBelongsTo: { $0 - 2 }, head: "head", swinBlock)

  /// The released code of Swin V2 (Liu et al. 2022), and timm before 0.9.
  static let officialSwinV2 = swin("Swin's authors", mergingBelongsTo: { $0 - 2 }, head: "head", swinV2Block)

  /// The names of a checkpoint whose mergings belong to the stages before them, of either version.
  static func officialSwin(of source: any TensorSource) -> WeightLayout {
    source.shape(of: "layers.0.blocks.0.attn.logit_scale") == nil ? officialSwin : officialSwinV2
  }

  private static func swin(
    _ name: String, mergingBelongsTo stored: (Int) -> Int, head: String, _ rules: [Rule]
  ) -> WeightLayout {
    WeightLayout(
      name: name,
      rules: linear("vision.patchEmbedding", "patch_embed.proj"), norm("vision.patchNorm", "patch_embed.norm"),
      (2...4).flatMap { block("vision.stage\($0).merging", "layers.\(stored($0)).downsample", merging) },
      (1...4).flatMap { block("vision.stage\($0).blocks.{i}", "layers.\($0 - 1).blocks.{i}", rules) },
      norm("vision.postNorm", "norm"), linear("head", head),
      // Tables calculated from the sizes.
      ignored: ["*.relative_position_index", "*.relative_coords_table", "*.attn_mask"])
  }

  private static let swinBlock = joined(
    stackedAttention("attention", "attn.qkv.weight", bias: "attn.qkv.bias"),
    [Rule("attention.positionBias", "attn.relative_position_bias_table")], commonBlock)

  private static let swinV2Block = joined(
    stackedWeights("attention", "attn.qkv.weight"),
    ["query", "value"].map { Rule("attention.\($0).bias", "attn.\($0.prefix(1))_bias") },
    positionNetwork("attn.cpb_mlp", scale: "attn.logit_scale"), commonBlock)

  private static let commonBlock = joined(
    norm("attentionNorm", "norm1"), linear("attention.output", "attn.proj"), norm("mlpNorm", "norm2"),
    linear("mlp.up", "mlp.fc1"), linear("mlp.down", "mlp.fc2"))

  /// Position network and logit scale of a Swin V2.
  static func positionNetwork(_ stored: String, scale: String) -> [Rule] {
    linear("attention.positionBias.up", "\(stored).0") + [
      Rule("attention.positionBias.down", "\(stored).2.weight"),
      Rule("attention.logitScale", scale, .trailing(2)),
    ]
  }
}
