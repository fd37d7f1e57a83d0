import Formats

extension WeightLayout {
  /// `ConvNeXt` of timm, its MLPs as linear maps.
  static let timmConvNeXt = timmConvNeXt(linear)

  /// The same; those of the small models are 1 × 1 convolutions.
  static func timmConvNeXt(of source: any TensorSource) -> WeightLayout {
    source.shape(of: "stages.0.blocks.0.mlp.fc1.weight")?.rank == 4 ? timmConvNeXt(pixelwise) : timmConvNeXt
  }

  private static func timmConvNeXt(_ map: (_ canonical: String, _ stored: String) -> [Rule]) -> WeightLayout {
    WeightLayout(
      name: "timm",
      rules: linear("vision.patchEmbedding", "stem.0"), norm("vision.patchNorm", "stem.1"),
      (1...4).flatMap { stage in
        let stored = "stages.\(stage - 1)"
        return joined(
          block("vision.stage\(stage).downsampling", "\(stored).downsample", downsampling),
          block(
            "vision.stage\(stage).blocks.{i}", "\(stored).blocks.{i}",
            linear("depthwise", "conv_dw"), norm("norm", "norm"), map("mlp.up", "mlp.fc1"),
            norm("mlp.response", "mlp.grn"), map("mlp.down", "mlp.fc2"), [Rule("layerScale", "gamma")]))
      },
      norm("vision.postNorm", "head.norm"), linear("head", "head.fc"), ignored: [])
  }

  /// The released code of ConvNeXt (Liu et al. 2022; V2: Woo et al. 2023): the stem is the first of its downsampling
  /// layers.
  static let officialConvNeXt = WeightLayout(
    name: "ConvNeXt's authors",
    rules: linear("vision.patchEmbedding", "downsample_layers.0.0"), norm("vision.patchNorm", "downsample_layers.0.1"),
    (2...4).flatMap { block("vision.stage\($0).downsampling", "downsample_layers.\($0 - 1)", downsampling) },
    (1...4).flatMap { stage in
      block(
        "vision.stage\(stage).blocks.{i}", "stages.\(stage - 1).{i}",
        linear("depthwise", "dwconv"), norm("norm", "norm"), linear("mlp.up", "pwconv1"),
        [Rule("mlp.response.scale", "grn.gamma", .nested(3)), Rule("mlp.response.shift", "grn.beta", .nested(3))],
        linear("mlp.down", "pwconv2"), [Rule("layerScale", "gamma")])
    },
    norm("vision.postNorm", "norm"), linear("head", "head"), ignored: [])
}
