import Tensor

extension VisionConfiguration {
  /// The sizes of a vision transformer, inferred from tensor shapes.
  ///
  /// Shapes do not determine the number of heads: the head width is 64, except in published models of widths that have
  /// 16 heads (`publishedHeads`). Nor do they determine the activation, which is GELU in all of them.
  /// - Throws: `ConfigurationError` naming the tensor, what was expected and what was found.
  init(deducedFrom shapes: CanonicalShapes, _ hints: BackboneHints, epsilon: Double) throws(ConfigurationError) {
    let patch = try shapes.shape("vision.patchEmbedding", rank: 4)
    let (width, patchSize) = (patch[0], patch[3])
    let hasClassToken = shapes.has("vision.classToken")
    guard let grid = shapes.positions("vision.positions", hasClassToken ? 1 : 0)?.side else {
      throw shapes.error(
        "vision.positions", "positions of a square of patches\(hasClassToken ? " and of a class token" : "")",
        "\(try shapes.shape("vision.positions", rank: 2)[0])")
    }
    let imageSize = hints.imageSize ?? grid * patchSize
    guard imageSize >= patchSize else {
      throw ConfigurationError(
        "\(shapes.source.label): image size: expected at least a patch of \(patchSize), found \(imageSize)")
    }
    let transformer = TransformerConfiguration(
      width: width, hiddenWidth: try shapes.shape("vision.blocks.0.mlp.up", rank: 2)[0],
      blocks: shapes.count("vision.blocks.{i}.mlp.up"), heads: try Self.heads(width, hints, shapes),
      activation: hints.activation ?? .gelu, epsilon: hints.epsilon ?? epsilon)
    let pooling: Pooling =
      shapes.has("vision.pooledNorm.scale") ? .normalizedMean : hasClassToken ? .classToken : .meanOfNormalized
    self.init(
      transformer: transformer, imageSize: imageSize, patchSize: patchSize,
      form: Form(
        hasPatchBias: shapes.has("vision.patchEmbedding.bias"), hasPreNorm: shapes.has("vision.preNorm.scale"),
        hasClassToken: hasClassToken, pooling: pooling))
  }

  /// Models whose head width is not 64: SO400M, H, g and G (Alabdulmohsin et al. 2023, table 1; Zhai et al. 2022, table
  /// 2).
  private static let publishedHeads = [1152: 16, 1280: 16, 1408: 16, 1664: 16]

  private static func heads(
    _ width: Int, _ hints: BackboneHints, _ shapes: CanonicalShapes
  ) throws(ConfigurationError) -> Int {
    if let heads = hints.heads {
      guard heads > 0, width % heads == 0 else {
        throw ConfigurationError(
          "\(shapes.source.label): heads: expected a divisor of the width \(width), found \(heads)")
      }
      return heads
    }
    if let heads = publishedHeads[width] { return heads }
    guard width % 64 == 0 else {
      throw shapes.error(
        "vision.patchEmbedding", "a multiple of 64, the head width, or a configuration that states the heads",
        "\(width)")
    }
    return width / 64
  }
}
