extension WeightLayout {
  /// `VisionTransformer` of timm, whose names DeiT, MAE and MoCo v3 share: query, key and value stacked.
  public static let timmVisionTransformer = WeightLayout(
    name: "timm",
    rules: [
      Rule("vision.classToken", "cls_token", .nested(2)), Rule("vision.positions", "pos_embed", .nested(1)),
    ],
    linear("vision.patchEmbedding", "patch_embed.proj"), norm("vision.preNorm", "norm_pre"),
    norm("vision.postNorm", "norm"), norm("vision.pooledNorm", "fc_norm"),
    block(
      "vision.blocks.{i}", "blocks.{i}",
      norm("attentionNorm", "norm1"), stackedAttention("attention", "attn.qkv.weight", bias: "attn.qkv.bias"),
      linear("attention.output", "attn.proj"), norm("mlpNorm", "norm2"), linear("mlp.up", "mlp.fc1"),
      linear("mlp.down", "mlp.fc2")),
    linear("head", "head"),
    ignored: [],
    leftAside: [
      Part(name: "the decoder of MAE's pretraining", patterns: ["decoder_*", "mask_token"]),
      // Maps and batch norms by their index in a list, ReLUs between them.
      Part(
        name: "the projection head of MoCo v3's pretraining",
        patterns: ["head.0.*", "head.1.*", "head.3.*", "head.4.*", "head.6.*", "head.7.*"]),
      Part(
        name: "the predictor of MoCo v3's pretraining", patterns: ["predictor.*", "module.predictor.*"]),
      Part(
        name: "the momentum encoder of MoCo v3's pretraining",
        patterns: ["momentum_encoder.*", "module.momentum_encoder.*"]),
    ])
}
