extension WeightLayout {
  /// `ConvNeXt` of timm.
  static let timmConvNeXt = WeightLayout(
    name: "timm",
    rules: linear("vision.patchEmbedding", "stem.0"), norm("vision.patchNorm", "stem.1"),
    (1...4).flatMap { stage in
      let stored = "stages.\(stage - 1)"
      return joined(
        block("vision.stage\(stage).downsampling", "\(stored).downsample", downsampling),
        block(
          "vision.stage\(stage).blocks.{i}", "\(stored).blocks.{i}",
          linear("depthwise", "conv_dw"), norm("norm", "norm"), linear("mlp.up", "mlp.fc1"),
          linear("mlp.down", "mlp.fc2"), [Rule("layerScale", "gamma")]))
    },
    norm("vision.postNorm", "head.norm"), linear("head", "head.fc"), ignored: [])

  /// The released code of ConvNeXt (Liu et al. 2022): the stem is the first of its downsampling layers.
  static let officialConvNeXt = WeightLayout(
    name: "ConvNeXt's authors",
    rules: linear("vision.patchEmbedding", "downsample_layers.0.0"), norm("vision.patchNorm", "downsample_layers.0.1"),
    (2...4).flatMap { block("vision.stage\($0).downsampling", "downsample_layers.\($0 - 1)", downsampling) },
    (1...4).flatMap { stage in
      block(
        "vision.stage\(stage).blocks.{i}", "stages.\(stage - 1).{i}",
        linear("depthwise", "dwconv"), norm("norm", "norm"), linear("mlp.up", "pwconv1"),
        linear("mlp.down", "pwconv2"), [Rule("layerScale", "gamma")])
    },
    norm("vision.postNorm", "norm"), linear("head", "head"), ignored: [])
}
