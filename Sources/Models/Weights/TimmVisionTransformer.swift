import Formats

extension WeightLayout {
  /// `VisionTransformer` and `Eva` of timm, whose names DeiT, MAE, MoCo v3, DINOv2 and DINOv3 share: query, key and
  /// value stacked.
  public static let timmVisionTransformer = timmVisionTransformer(TimmBlockNames())

  /// The names that a checkpoint in the manner of timm has: those of DINOv2, DINOv3, DeiT III and BEiT differ in a few.
  static func timmVisionTransformer(of source: any TensorSource) -> WeightLayout {
    timmVisionTransformer(TimmBlockNames(of: source))
  }

  private static func timmVisionTransformer(_ names: TimmBlockNames) -> WeightLayout {
    WeightLayout(
      name: "timm",
      rules: [
        Rule("vision.classToken", "cls_token", .nested(2)),
        Rule("vision.distillationToken", "dist_token", .nested(2)),
        Rule("vision.registers", names.registers, .nested(1)), Rule("vision.rotaryPeriods", "rope_embed.periods"),
        Rule("vision.positions", "pos_embed", .nested(1)),
      ],
      linear("vision.patchEmbedding", "patch_embed.proj"), norm("vision.preNorm", "norm_pre"),
      norm("vision.postNorm", "norm"), norm("vision.pooledNorm", "fc_norm"),
      block("vision.blocks.{i}", "blocks.{i}", names.rules), block("vision.attentionPool", "attn_pool", latentPool),
      linear("head", "head"), linear("head.distillation", "head_dist"),
      ignored: ["*.relative_position_index", "*.bias_mask"],
      leftAside: [
        Part(
          name: "the decoder of MAE's pretraining", patterns: ["decoder_*"] + (names.hasDecoder ? ["mask_token"] : [])),
        Part(name: "the token of masked patches", patterns: names.hasDecoder ? [] : ["mask_token"]),
        // Maps and batch norms by their index in a list, ReLUs between them.
        Part(
          name: "the projection head of MoCo v3's pretraining",
          patterns: ["head.0.*", "head.1.*", "head.3.*", "head.4.*", "head.6.*", "head.7.*"]),
        Part(name: "the projection head of DINO's pretraining", patterns: ["head.mlp.*", "head.last_layer*"]),
        Part(
          name: "the predictor of MoCo v3's pretraining", patterns: ["predictor.*", "module.predictor.*"]),
        Part(
          name: "the momentum encoder of MoCo v3's pretraining",
          patterns: ["momentum_encoder.*", "module.momentum_encoder.*"]),
        Part(name: "the norms of DINOv3's pretraining", patterns: ["local_cls_norm.*", "cls_norm.*"]),
      ])
  }

  private static let latentPool = joined(
    [Rule("latent", "latent", .nested(2))], linear("query", "q"), stackedPair("key", "value", "kv"),
    linear("output", "proj"), norm("norm", "norm"), linear("mlp.up", "mlp.fc1"), linear("mlp.down", "mlp.fc2"))
}

/// The names of a block that differ between checkpoints in the manner of timm.
private struct TimmBlockNames {
  /// Registers: `reg_token` of timm, `register_tokens` of DINOv2's authors, `storage_tokens` of DINOv3's.
  var registers = "reg_token"
  /// Layer scales: `ls1.gamma`, or `gamma_1` of BEiT and of DeiT III's authors.
  var layerScale = "ls{n}.gamma"
  /// True if query and value have biases of their own, and key none.
  var hasSeparateBiases = false
  /// True if a mask of zeros is at the key's third of the biases: `LinearKMaskedBias` of DINOv3's authors.
  var masksKeyBias = false
  /// The names of the MLP's maps.
  var mlp = MLP.plain
  /// True if there is a decoder of MAE's pretraining.
  var hasDecoder = false

  enum MLP {
    case plain
    /// SwiGLU with both factors in one map: `SwiGLUPacked` of timm, `SwiGLUFFNFused` of DINOv2's authors.
    case packed(String, down: String)
    /// SwiGLU of timm, or of DINOv3's authors: gate, up, down.
    case split(String, String, String)
  }

  init() {}

  init(of source: any TensorSource) {
    func has(_ name: String) -> Bool { source.shape(of: name) != nil }
    func block(_ name: String) -> String { "blocks.0.\(name)" }
    for name in ["register_tokens", "storage_tokens"] where has(name) { registers = name }
    if has(block("gamma_1")) { layerScale = "gamma_{n}" }
    masksKeyBias = has(block("attn.qkv.bias_mask"))
    hasSeparateBiases = has(block("attn.q_bias")) || has(block("attn.v_bias"))
    hasDecoder = source.names.contains { $0.hasPrefix("decoder_") }
    if has(block("mlp.w12.weight")) {
      mlp = .packed("mlp.w12", down: "mlp.w3")
    } else if has(block("mlp.fc1_g.weight")) {
      mlp = .split("mlp.fc1_g", "mlp.fc1_x", "mlp.fc2")
    } else if has(block("mlp.w3.weight")) {
      mlp = .split("mlp.w1", "mlp.w2", "mlp.w3")
    } else if let up = source.shape(of: block("mlp.fc1.weight")), let down = source.shape(of: block("mlp.fc2.weight")),
      up.rank == 2, down.rank == 2, up[0] == 2 * down[1]
    {
      mlp = .packed("mlp.fc1", down: "mlp.fc2")
    }
  }

  var rules: [WeightLayout.Rule] {
    typealias Layout = WeightLayout
    typealias Rule = WeightLayout.Rule
    let attention =
      hasSeparateBiases
      ? Layout.stackedWeights("attention", "attn.qkv.weight")
        + ["query", "value"].map { Rule("attention.\($0).bias", "attn.\($0.prefix(1))_bias") }
      : Layout.stackedAttention("attention", "attn.qkv.weight", bias: "attn.qkv.bias").filter {
        !masksKeyBias || $0.canonical != "attention.key.bias"
      }
    let maps: [Rule] =
      switch mlp {
      case .plain: Layout.joined(Layout.linear("mlp.up", "mlp.fc1"), Layout.linear("mlp.down", "mlp.fc2"))
      case .packed(let stored, let down):
        Layout.joined(Layout.stackedPair("mlp.gate", "mlp.up", stored), Layout.linear("mlp.down", down))
      case .split(let gate, let up, let down):
        Layout.joined(Layout.linear("mlp.gate", gate), Layout.linear("mlp.up", up), Layout.linear("mlp.down", down))
      }
    func scale(_ n: String) -> String { layerScale.replacing("{n}", with: n) }
    return Layout.joined(
      Layout.norm("attentionNorm", "norm1"), attention, Layout.norm("attention.queryNorm", "attn.q_norm"),
      Layout.norm("attention.keyNorm", "attn.k_norm"),
      [Rule("attention.positionBias", "attn.relative_position_bias_table")],
      Layout.linear("attention.output", "attn.proj"),
      [Rule("attention.layerScale", scale("1")), Rule("mlp.layerScale", scale("2"))], Layout.norm("mlpNorm", "norm2"),
      maps)
  }
}
