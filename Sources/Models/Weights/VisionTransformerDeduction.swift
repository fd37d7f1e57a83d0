import Tensor

extension VisionConfiguration {
  /// The sizes of a vision transformer by the shapes of its tensors.
  ///
  /// Shapes do not tell the number of heads: they are 64 wide, and 16 in the published models whose width asks for
  /// others (`publishedHeads`). Nor do they tell the activation, which is GELU in all of them.
  /// - Throws: `ConfigurationError` naming the tensor, what was expected and what was found.
  init(deducedFrom shapes: CanonicalShapes, _ hints: BackboneHints, epsilon: Double) throws(ConfigurationError) {
    let patch = try shapes.shape("vision.patchEmbedding", rank: 4)
    let (width, patchSize) = (patch[0], patch[3])
    let hasClassToken = shapes.has("vision.classToken")
    let positions = try shapes.shape("vision.positions", rank: 2)[0]
    guard let grid = CanonicalShapes.side(of: positions - (hasClassToken ? 1 : 0)) else {
      throw shapes.error(
        "vision.positions", "positions of a square of patches\(hasClassToken ? " and of a class token" : "")",
        "\(positions)")
    }
    let transformer = TransformerConfiguration(
      width: width, hiddenWidth: try shapes.shape("vision.blocks.0.mlp.up", rank: 2)[0],
      blocks: shapes.count("vision.blocks.{i}.mlp.up"), heads: try Self.heads(width, hints, shapes),
      activation: hints.activation ?? .gelu, epsilon: hints.epsilon ?? epsilon)
    let pooling: Pooling =
      shapes.has("vision.pooledNorm.scale") ? .normalisedMean : hasClassToken ? .classToken : .meanOfNormalised
    self.init(
      transformer: transformer, imageSize: grid * patchSize, patchSize: patchSize,
      form: Form(
        hasPatchBias: shapes.has("vision.patchEmbedding.bias"), hasPreNorm: shapes.has("vision.preNorm.scale"),
        hasClassToken: hasClassToken, pooling: pooling))
  }

  /// Heads that are not 64 wide: SO400M, H, g and G (Alabdulmohsin et al. 2023, table 1; Zhai et al. 2022, table 2).
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
        "vision.patchEmbedding", "a multiple of 64, the width of a head, or a configuration that states the heads",
        "\(width)")
    }
    return width / 64
  }
}
