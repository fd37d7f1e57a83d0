import Tensor

extension BackboneDeduction {
  /// The heads of a vision transformer: stated, in a tensor, of the published model of these shapes, or assumed.
  mutating func heads(_ width: Int, blocks: Int, isGated: Bool) throws(ConfigurationError) -> Int {
    let (stored, known) = (
      try storedHeads(width), PublishedHeads.vision(width: width, blocks: blocks, isGated: isGated)
    )
    if case .published(let name)? = known?.origin { published = name }
    if let heads = hints.heads {
      if let stored, stored.heads != heads {
        throw ConfigurationError(
          "\(shapes.source.label): heads: expected \(stored.heads), as tensor \"\(stored.tensor)\" has them, "
            + "found \(heads)")
      }
      guard heads > 0, width % heads == 0 else {
        throw ConfigurationError(
          "\(shapes.source.label): heads: expected a divisor of the width \(width), found \(heads)")
      }
      // Another number of heads is that of another model.
      if heads != known?.heads { published = nil }
      if case .published(let name)? = hints.origin(.heads) { published = name }
      add(.heads, heads)
      return heads
    }
    if let stored {
      add(.heads, stored.heads, .deduced(tensor: stored.tensor))
      return stored.heads
    }
    guard let known else {
      throw shapes.error(
        "vision.patchEmbedding", "a multiple of 64, the head width, or a configuration that states the heads",
        "\(width)")
    }
    switch known.origin {
    case .assumed(let reason): add(.heads, known.heads, assumedHeads(reason))
    // Its positions are fixed, and zero for the class token.
    case .published where width == 384 && hasZeroPosition:
      add(.heads, known.heads, assumedHeads("ViT-S has them but for that of MoCo v3, which has 12 and such positions"))
    default: add(.heads, known.heads, known.origin)
    }
    return known.heads
  }

  /// True if the first token has no position.
  private var hasZeroPosition: Bool {
    guard shapes.has("vision.classToken"), let width = try? shapes.shape("vision.positions", rank: 2)[1],
      let positions = try? shapes.source.tensor(shapes.stored("vision.positions"))
    else { return false }
    return positions.values.prefix(width).allSatisfy { $0 == 0 }
  }

  /// The heads that a tensor tells, with its name: one column per head, or the width of a head or a quarter of it.
  private func storedHeads(_ width: Int) throws(ConfigurationError) -> (heads: Int, tensor: String)? {
    let (table, norm) = ("vision.blocks.0.attention.positionBias", "vision.blocks.0.attention.queryNorm.scale")
    let periods = "vision.rotaryPeriods"
    let heads: (Int, String)
    if shapes.source.shape(of: WeightLayout.googleQuery) != nil {
      return (try WeightLayout.googleHeads(shapes.source), WeightLayout.googleQuery)
    } else if shapes.has(table) {
      heads = (try shapes.shape(table, rank: 2)[1], table)
    } else if shapes.has(norm) {
      heads = (width / (try shapes.shape(norm, rank: 1)[0]), norm)
    } else if shapes.has(periods) {
      // One period per four channels of a head.
      heads = (width / (4 * (try shapes.shape(periods, rank: 1)[0])), periods)
    } else {
      return nil
    }
    guard heads.0 > 0, width % heads.0 == 0 else {
      throw shapes.error(
        heads.1, "a shape of heads that divide the width \(width)", "\(try shapes.shape(heads.1, rank: 1))")
    }
    return (heads.0, shapes.stored(heads.1))
  }
}
