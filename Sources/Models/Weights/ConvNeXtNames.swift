import Formats

extension WeightLayout {
  /// `ConvNeXt` of timm, its MLPs as linear maps.
  static let timmConvNeXt = timmConvNeXt(linear)

  /// The same; those of the small models are 1 × 1 convolutions.
  static func timmConvNeXt(of source: any TensorSource) -> WeightLayout {
    source.shape(of: "stages.0.blocks.0.mlp.fc1.weight")?.rank == 4 ? timmConvNeXt(pixelwise) : timmConvNeXt
  }

  private static func timmConvNeXt(_ map: (_ canonical: String, _ stored: String) -> [Rule]) -> WeightLayout {
    convNeXt(
      "timm", stem: ("stem.0", "stem.1"), downsampling: { "stages.\($0 - 1).downsample" },
      block: { "stages.\($0 - 1).blocks.{i}" }, last: "head.norm", head: "head.fc", linear("depthwise", "conv_dw"),
      norm("norm", "norm"), map("mlp.up", "mlp.fc1"), norm("mlp.response", "mlp.grn"), map("mlp.down", "mlp.fc2"),
      [Rule("layerScale", "gamma")])
  }

  /// The released code of ConvNeXt (Liu et al. 2022; V2: Woo et al. 2023): the stem is the first of its downsampling
  /// layers.
  static let officialConvNeXt = convNeXt(
    "ConvNeXt's authors", stem: ("downsample_layers.0.0", "downsample_layers.0.1"),
    downsampling: { "downsample_layers.\($0 - 1)" }, block: { "stages.\($0 - 1).{i}" }, last: "norm", head: "head",
    linear("depthwise", "dwconv"), norm("norm", "norm"), linear("mlp.up", "pwconv1"),
    nestedResponse("grn.gamma", "grn.beta"), linear("mlp.down", "pwconv2"), [Rule("layerScale", "gamma")])

  /// `ConvNextModel`, `ConvNextForImageClassification` and version 2 of them.
  static let huggingFaceConvNeXt = convNeXt(
    "Hugging Face ConvNeXt", stem: ("embeddings.patch_embeddings", "embeddings.layernorm"),
    downsampling: { "encoder.stages.\($0 - 1).downsampling_layer" }, block: { "encoder.stages.\($0 - 1).layers.{i}" },
    last: "layernorm", head: "classifier", linear("depthwise", "dwconv"), norm("norm", "layernorm"),
    linear("mlp.up", "pwconv1"), nestedResponse("grn.weight", "grn.bias"), linear("mlp.down", "pwconv2"),
    [Rule("layerScale", "layer_scale_parameter")])

  /// `ConvNeXt` of torchvision: a downsampling is a layer between two stages.
  static let torchvisionConvNeXt = convNeXt(
    "torchvision", stem: ("features.0.0", "features.0.1"), downsampling: { "features.\(2 * $0 - 2)" },
    block: { "features.\(2 * $0 - 1).{i}" }, last: "classifier.0", head: "classifier.2",
    linear("depthwise", "block.0"), norm("norm", "block.2"), linear("mlp.up", "block.3"),
    linear("mlp.down", "block.5"), [Rule("layerScale", "layer_scale", .trailing(2))])

  /// The names of a ConvNeXt: of the map and the norm of its stem, of the layers before and the blocks of a stage,
  /// counted from 1, of the last norm and the head, and of what a block consists of.
  private static func convNeXt(
    _ name: String, stem: (map: String, norm: String), downsampling stored: (_ stage: Int) -> String,
    block path: (_ stage: Int) -> String, last: String, head: String, _ parts: [Rule]...
  ) -> WeightLayout {
    WeightLayout(
      name: name, rules: linear("vision.patchEmbedding", stem.map), norm("vision.patchNorm", stem.norm),
      (2...4).flatMap { block("vision.stage\($0).downsampling", stored($0), downsampling) },
      (1...4).flatMap { block("vision.stage\($0).blocks.{i}", path($0), Array(parts.joined())) },
      norm("vision.postNorm", last), linear("head", head), ignored: [])
  }

  /// Norm and convolution between two stages, a list of two layers.
  private static let downsampling =
    norm("norm", "0")
    + [Rule("reduction", "1.weight", .neighboursLast), Rule("reduction.bias", "1.bias")]

  /// Scale and shift of version 2's response norm, as maps of one pixel.
  private static func nestedResponse(_ scale: String, _ shift: String) -> [Rule] {
    [Rule("mlp.response.scale", scale, .nested(3)), Rule("mlp.response.shift", shift, .nested(3))]
  }
}
