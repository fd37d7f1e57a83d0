import Tensor

extension VisionConfiguration {
  /// The sizes of a vision transformer, inferred from tensor shapes, and its form from the tensors present.
  ///
  /// Shapes do not determine the number of heads: the head width is 64, except in published models of widths that have
  /// 16 heads (`publishedHeads`). Nor do they determine the activation, which is GELU in most.
  /// - Throws: `ConfigurationError` naming the tensor, what was expected and what was found.
  init(deducedFrom shapes: CanonicalShapes, _ hints: BackboneHints, epsilon: Double) throws(ConfigurationError) {
    let patch = try shapes.shape("vision.patchEmbedding", rank: 4)
    let (width, patchSize) = (patch[0], patch[3])
    let (hasClassToken, hasDistillation) = (shapes.has("vision.classToken"), shapes.has("vision.distillationToken"))
    let registers = shapes.has("vision.registers") ? try shapes.shape("vision.registers", rank: 2)[0] : 0
    let summary = (hasClassToken ? 1 : 0) + (hasDistillation ? 1 : 0)
    let relativeGrid = try Self.relativeGrid(shapes)
    let rotary = try Self.rotary(shapes, hints)
    let (positions, grid) = try Self.positions(
      shapes, summary: summary, registers: registers, stated: hints.imageSize.map { $0 / patchSize },
      gridWithout: relativeGrid ?? rotary.map { _ in Self.usualImageSize / patchSize })
    let imageSize = hints.imageSize ?? grid * patchSize
    guard imageSize >= patchSize else {
      throw ConfigurationError(
        "\(shapes.source.label): image size: expected at least a patch of \(patchSize), found \(imageSize)")
    }
    if let relativeGrid, imageSize / patchSize != relativeGrid {
      throw ConfigurationError(
        "\(shapes.source.label): image size: expected \(relativeGrid * patchSize), as tables of relative positions "
          + "are not resized, found \(imageSize)")
    }
    let transformer = TransformerConfiguration(
      width: width, hiddenWidth: try shapes.shape("vision.blocks.0.mlp.up", rank: 2)[0],
      blocks: shapes.count("vision.blocks.{i}.mlp.up"), heads: try Self.heads(width, hints, shapes),
      activation: hints.activation ?? .gelu, epsilon: hints.epsilon ?? epsilon,
      form: BlockForm(deducedFrom: shapes, relativeGrid: relativeGrid))
    try Self.checkGate(shapes, hints)
    let headWidth = transformer.width / transformer.heads
    guard rotary == nil || imageSize / patchSize <= 1024 else {
      throw ConfigurationError(
        "\(shapes.source.label): image size: expected at most 1024 patches along a side, "
          + "found \(imageSize / patchSize)")
    }
    guard rotary == nil || headWidth % 4 == 0 else {
      throw ConfigurationError(
        "\(shapes.source.label): heads: expected a head width that is a multiple of 4, as rotary positions need, "
          + "found \(headWidth)")
    }
    let pooling = try Self.pooling(shapes, hints)
    guard pooling != .attention || summary + registers == 0 else {
      throw ConfigurationError(
        "\(shapes.source.label): tensor \"\(shapes.stored("vision.attentionPool.latent"))\": expected attention "
          + "pooling over patches alone, found a model with \(summary + registers) other tokens")
    }
    self.init(
      transformer: transformer, imageSize: imageSize, patchSize: patchSize,
      form: Form(
        hasPatchBias: shapes.has("vision.patchEmbedding.bias"), hasPreNorm: shapes.has("vision.preNorm.scale"),
        hasClassToken: hasClassToken, hasDistillationToken: hasDistillation, registers: registers,
        positions: positions, rotary: rotary, pooling: pooling))
  }

  /// Refuses a gated MLP in the manner of timm whose gate may be a GELU: its models have that unless they say
  /// otherwise, and no tensor shows it.
  private static func checkGate(_ shapes: CanonicalShapes, _ hints: BackboneHints) throws(ConfigurationError) {
    let (gate, isGated) = ("vision.blocks.0.mlp.gate", shapes.has("vision.blocks.0.mlp.gate"))
    if isGated, shapes.stored(gate).contains("mlp.fc1"), !hints.gatesBySiLU {
      throw shapes.error(
        gate, "a config.json that states a SiLU as the gate, by an architecture with SwiGLU or by act_layer", "none")
    }
    guard isGated || !hints.gatesBySiLU else {
      throw shapes.error("vision.blocks.0.mlp.up", "a gated MLP, as a SiLU is stated", "another")
    }
  }

  /// The image size of a network whose tensors do not tell it.
  static let usualImageSize = 224

  /// The periods of rotary positions: stored, or of a base that is stated.
  private static func rotary(
    _ shapes: CanonicalShapes, _ hints: BackboneHints
  ) throws(ConfigurationError) -> RotaryPeriods? {
    let isStored = shapes.has("vision.rotaryPeriods")
    guard let base = hints.rotaryBase, !isStored else { return isStored ? .stored : nil }
    guard !shapes.has("vision.positions") else {
      throw shapes.error("vision.positions", "none, as rotary positions are stated", "one")
    }
    return .powers(of: base)
  }

  /// The tokens that have position embeddings, and the side of the patch grid.
  ///
  /// - stated: the side that is stated, which decides where several fit; gridWithout: the side where there are no
  ///   position embeddings.
  private static func positions(
    _ shapes: CanonicalShapes, summary: Int, registers: Int, stated: Int?, gridWithout: Int?
  ) throws(ConfigurationError) -> (Positions, grid: Int) {
    guard shapes.has("vision.positions") else {
      guard let gridWithout else {
        throw shapes.error(
          "vision.positions",
          "position embeddings, relative ones in every block, or a config.json that states a DINOv3, whose rotary "
            + "positions no tensor shows", "none of these")
      }
      return (.none, gridWithout)
    }
    // Registers have no positions in published models.
    var candidates: [(positions: Positions, prefix: Int)] = [(.all, summary + registers)]
    if registers > 0, summary > 0 { candidates.insert((.withoutRegisters, summary), at: 0) }
    if summary + registers > 0 { candidates.insert((.patches, 0), at: registers > 0 ? 0 : 1) }
    let fitting = candidates.compactMap { candidate in
      shapes.positions("vision.positions", candidate.prefix).map { (candidate.positions, grid: $0.side) }
    }
    guard let first = fitting.first else {
      let others = summary + registers == 0 ? "" : ", or of these and \(summary + registers) other tokens"
      throw shapes.error(
        "vision.positions", "positions of a square of patches\(others)",
        "\(try shapes.shape("vision.positions", rank: 2)[0])")
    }
    return fitting.first { $0.grid == (gridWithout ?? stated) } ?? first
  }

  /// The side of the grid whose relative positions bias the attention, if they do.
  private static func relativeGrid(_ shapes: CanonicalShapes) throws(ConfigurationError) -> Int? {
    let table = "vision.blocks.0.attention.positionBias"
    guard shapes.has(table) else { return nil }
    let rows = try shapes.shape(table, rank: 2)[0]
    guard let side = CanonicalShapes.side(of: rows - 3), side % 2 == 1 else {
      throw shapes.error(
        table, "as many rows as a square grid has relative positions and three for a class token, (2 side − 1)² + 3",
        "\(rows)")
    }
    return (side + 1) / 2
  }

  private static func pooling(_ shapes: CanonicalShapes, _ hints: BackboneHints) throws(ConfigurationError) -> Pooling {
    let (hasClassToken, hasMeanNorm) = (shapes.has("vision.classToken"), shapes.has("vision.pooledNorm.scale"))
    func refused(_ found: String) -> ConfigurationError {
      let name = hints.origins[.pooling] ?? "\(shapes.source.label): pooling"
      return ConfigurationError("\(name): expected a pooling that the tensors allow, found \(found)")
    }
    switch hints.pooling {
    case .token, .classToken:
      guard hasClassToken else { throw refused("token without a class token") }
      if hints.pooling == .classToken { return .classToken }
      guard !hasMeanNorm else { throw refused("token with \"\(shapes.stored("vision.pooledNorm.scale"))\"") }
    case .average: return hasMeanNorm ? .normalizedMean : .meanOfNormalized
    case .attention:
      guard shapes.has("vision.attentionPool.latent") else { throw refused("map without an attention pool") }
      return .attention
    case nil:
      if shapes.has("vision.attentionPool.latent") { return .attention }
      if hasMeanNorm { return .normalizedMean }
    }
    if shapes.has("vision.distillationToken"), hasClassToken { return .classAndDistillation }
    return hasClassToken ? .classToken : .meanOfNormalized
  }

  /// Models whose head width is not 64: SO400M, H, g and G (Alabdulmohsin et al. 2023, table 1; Zhai et al. 2022, table
  /// 2).
  static let publishedHeads = [1152: 16, 1280: 16, 1408: 16, 1664: 16]

  private static func heads(
    _ width: Int, _ hints: BackboneHints, _ shapes: CanonicalShapes
  ) throws(ConfigurationError) -> Int {
    let known = try storedHeads(width, shapes)
    if let heads = hints.heads {
      guard heads > 0, width % heads == 0 else {
        throw ConfigurationError(
          "\(shapes.source.label): heads: expected a divisor of the width \(width), found \(heads)")
      }
      if let known, known.heads != heads {
        throw shapes.error(known.tensor, "that of \(heads) heads", "\(known.heads)")
      }
      return heads
    }
    if let known { return known.heads }
    if let heads = publishedHeads[width] { return heads }
    guard width % 64 == 0 else {
      throw shapes.error(
        "vision.patchEmbedding", "a multiple of 64, the head width, or a configuration that states the heads",
        "\(width)")
    }
    return width / 64
  }

  /// The heads that a tensor tells, with its canonical name: one column per head, or the width of a head or a quarter
  /// of it.
  static func storedHeads(
    _ width: Int, _ shapes: CanonicalShapes
  ) throws(ConfigurationError) -> (heads: Int, tensor: String)? {
    let (table, norm) = ("vision.blocks.0.attention.positionBias", "vision.blocks.0.attention.queryNorm.scale")
    let periods = "vision.rotaryPeriods"
    let heads: (Int, String)
    if shapes.has(table) {
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
    return heads
  }
}

extension BlockForm {
  /// The form of the first block, by the tensors present; the others must have the same.
  fileprivate init(deducedFrom shapes: CanonicalShapes, relativeGrid: Int?) {
    self.init()
    func has(_ name: String) -> Bool { shapes.has("vision.blocks.0.\(name)") }
    (hasQueryBias, hasKeyBias) = (has("attention.query.bias"), has("attention.key.bias"))
    (hasValueBias, hasOutputBias) = (has("attention.value.bias"), has("attention.output.bias"))
    (hasMLPBias, hasQueryKeyNorm) = (has("mlp.up.bias"), has("attention.queryNorm.scale"))
    (hasLayerScale, isGated) = (has("attention.layerScale"), has("mlp.gate"))
    self.relativeGrid = relativeGrid
  }
}
