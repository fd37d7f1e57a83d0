import Formats

extension WeightLayout {
  /// Google's own ViT (Dosovitskiy et al. 2021, released code), `ViT-B_16.npz`: what Flax calls a kernel has its inputs
  /// first, and heads are an extent of their own.
  static func googleVisionTransformer(heads: Int) -> WeightLayout {
    WeightLayout(
      name: "Google ViT",
      rules: [
        Rule("vision.patchEmbedding", "embedding/kernel", .pixelsFirst),
        Rule("vision.patchEmbedding.bias", "embedding/bias"),
        Rule("vision.classToken", "cls", .nested(2)),
        Rule("vision.positions", "Transformer/posembed_input/pos_embedding", .nested(1)),
      ]
        + scaledNorm("vision.postNorm", "Transformer/encoder_norm")
        + rules(
          "vision.blocks.{i}", "Transformer/encoderblock_{i}",
          scaledNorm("attentionNorm", "LayerNorm_0") + attention(heads) + scaledNorm("mlpNorm", "LayerNorm_2")
            + kernel("mlp.up", "MlpBlock_3/Dense_0") + kernel("mlp.down", "MlpBlock_3/Dense_1"))
        + kernel("head", "head"),
      // A map between features and the head of the first pretraining, which no later head was trained with.
      ignored: ["pre_logits/kernel", "pre_logits/bias"])
  }

  /// A kernel whose extents are width, heads and head width.
  static let googleQuery = "Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel"

  /// The number of heads, an extent of the stored kernels.
  static func googleHeads(_ source: any TensorSource) throws(ConfigurationError) -> Int {
    guard let kernel = source.shape(of: googleQuery), kernel.rank == 3, kernel[1] > 0 else {
      throw ConfigurationError(
        "\(source.label): tensor \"\(googleQuery)\": expected [width, heads, head width], "
          + "found \(source.shape(of: googleQuery)?.description ?? "no such tensor")")
    }
    return kernel[1]
  }

  private static func attention(_ heads: Int) -> [Rule] {
    let stored = "MultiHeadDotProductAttention_1"
    return ["query", "key", "value"].flatMap { name in
      [
        Rule("attention.\(name)", "\(stored)/\(name)/kernel", .headsLast(heads)),
        Rule("attention.\(name).bias", "\(stored)/\(name)/bias", .inHeads(heads)),
      ]
    } + [
      Rule("attention.output", "\(stored)/out/kernel", .headsFirst(heads)),
      Rule("attention.output.bias", "\(stored)/out/bias"),
    ]
  }

  private static func kernel(_ canonical: String, _ stored: String) -> [Rule] {
    [Rule(canonical, "\(stored)/kernel", .transposed), Rule("\(canonical).bias", "\(stored)/bias")]
  }

  private static func scaledNorm(_ canonical: String, _ stored: String) -> [Rule] {
    [Rule("\(canonical).scale", "\(stored)/scale"), Rule("\(canonical).shift", "\(stored)/bias")]
  }

  private static func rules(_ canonical: String, _ stored: String, _ rules: [Rule]) -> [Rule] {
    rules.map { Rule("\(canonical).\($0.canonical)", "\(stored)/\($0.stored)", $0.form) }
  }
}
