import Tensor

extension BackboneDeduction {
  /// The sizes of a vision transformer, inferred from tensor shapes, and its form from the tensors present.
  ///
  /// Shapes do not determine the number of heads (`PublishedHeads`), ε, the activation, which is GELU in most, nor
  /// whether a mean without a norm of its own replaces the class token.
  /// - Throws: `ConfigurationError` naming the tensor, what was expected and what was found.
  mutating func visionTransformer() throws(ConfigurationError) -> VisionConfiguration {
    let patch = try shapes.shape("vision.patchEmbedding", rank: 4)
    let (width, patchSize) = (patch[0], patch[3])
    let (hasClassToken, hasDistillation) = (shapes.has("vision.classToken"), shapes.has("vision.distillationToken"))
    let registers = shapes.isEmpty("vision.registers") ? 0 : try shapes.shape("vision.registers", rank: 2)[0]
    let summary = (hasClassToken ? 1 : 0) + (hasDistillation ? 1 : 0)
    let relativeGrid = try relativeGrid()
    let rotary = try rotary()
    let (positions, grid) = try positions(
      summary: summary, registers: registers, stated: hints.imageSize.map { $0 / patchSize },
      gridWithout: relativeGrid ?? rotary.map { _ in Self.usualImageSize / patchSize })
    let imageSize = hints.imageSize ?? grid * patchSize
    guard imageSize >= patchSize else {
      throw ConfigurationError(
        "\(shapes.source.label): image size: expected at least a patch of \(patchSize), found \(imageSize)")
    }
    guard !hints.padsImages || imageSize % patchSize == 0 else {
      throw ConfigurationError(
        "\(shapes.source.label): image size: expected a multiple of the patch \(patchSize), as images are not padded "
          + "(dynamic_img_pad), found \(imageSize)")
    }
    if let relativeGrid, imageSize / patchSize != relativeGrid {
      throw ConfigurationError(
        "\(shapes.source.label): image size: expected \(relativeGrid * patchSize), as tables of relative positions "
          + "are not resized, found \(imageSize)")
    }
    let hidden = try shapes.shape("vision.blocks.0.mlp.up", rank: 2)[0]
    let (blocks, form) = (
      shapes.count("vision.blocks.{i}.mlp.up"), BlockForm(deducedFrom: shapes, relativeGrid: relativeGrid)
    )
    let heads = try heads(width, blocks: blocks, isGated: form.isGated)
    try checkGate(form)
    // Positions are resized to the patches, of which published models have at most 64 along a side.
    guard imageSize / patchSize <= 1024 else {
      throw ConfigurationError(
        "\(shapes.source.label): image size: expected at most 1024 patches along a side, "
          + "found \(imageSize / patchSize)")
    }
    guard rotary == nil || (width / heads) % 4 == 0 else {
      throw ConfigurationError(
        "\(shapes.source.label): heads: expected a head width that is a multiple of 4, as rotary positions need, "
          + "found \(width / heads)")
    }
    let pooling = try pooling()
    guard pooling != .attention || summary + registers == 0 else {
      throw ConfigurationError(
        "\(shapes.source.label): tensor \"\(shapes.stored("vision.attentionPool.latent"))\": expected attention "
          + "pooling over patches alone, found a model with \(summary + registers) other tokens")
    }
    let size = VisionConfiguration(
      transformer: TransformerConfiguration(
        width: width, hiddenWidth: hidden, blocks: blocks, heads: heads, activation: hints.activation ?? .gelu,
        epsilon: hints.epsilon ?? usualEpsilon, form: form), imageSize: imageSize, patchSize: patchSize,
      form: .init(
        hasPatchBias: shapes.has("vision.patchEmbedding.bias"), hasPreNorm: shapes.has("vision.preNorm.scale"),
        hasClassToken: hasClassToken, hasDistillationToken: hasDistillation, registers: registers,
        positions: positions, rotary: rotary, pooling: pooling))
    addSettings(of: size)
    return size
  }

  /// Refuses a gated MLP in the manner of timm whose gate may be a GELU: its models have that unless they say
  /// otherwise, and no tensor shows it.
  private mutating func checkGate(_ form: BlockForm) throws(ConfigurationError) {
    let gate = "vision.blocks.0.mlp.gate"
    guard form.isGated else {
      guard hints.gatesBySiLU else { return }
      throw shapes.error("vision.blocks.0.mlp.up", "a gated MLP, as a SiLU is stated", "another")
    }
    let isPublished = published != nil && hints.origin(.activation) == nil
    guard hints.gatesBySiLU || isPublished || !shapes.stored(gate).contains("mlp.fc1") else {
      throw shapes.error(
        gate, "a config.json that states a SiLU as the gate, by an architecture with SwiGLU or by act_layer", "none")
    }
    add(.gate, "silu", published == nil ? deduced(gate) : nil)
  }

  /// The image size of a network whose tensors do not tell it.
  static let usualImageSize = 224

  /// The periods of rotary positions: stored, or of a base that is stated.
  private func rotary() throws(ConfigurationError) -> RotaryPeriods? {
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
  private func positions(
    summary: Int, registers: Int, stated: Int?, gridWithout: Int?
  ) throws(ConfigurationError) -> (VisionConfiguration.Positions, grid: Int) {
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
    var candidates: [(positions: VisionConfiguration.Positions, prefix: Int)] = [(.all, summary + registers)]
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
  private func relativeGrid() throws(ConfigurationError) -> Int? {
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

  private mutating func pooling() throws(ConfigurationError) -> VisionConfiguration.Pooling {
    let (hasClassToken, hasMeanNorm) = (shapes.has("vision.classToken"), shapes.has("vision.pooledNorm.scale"))
    let (latent, norm) = ("vision.attentionPool.latent", "vision.pooledNorm.scale")
    let distillation = "vision.distillationToken"
    func refused(_ found: String) -> ConfigurationError {
      let name = hints.origins[.pooling].map { "\($0)" } ?? "\(shapes.source.label): pooling"
      return ConfigurationError("\(name): expected a pooling that the tensors allow, found \(found)")
    }
    func found() throws(ConfigurationError) -> (VisionConfiguration.Pooling, SettingOrigin?) {
      switch hints.pooling {
      case .token, .classToken:
        guard hasClassToken else { throw refused("token without a class token") }
        if hints.pooling == .classToken { return (.classToken, nil) }
        guard !hasMeanNorm else { throw refused("token with \"\(shapes.stored(norm))\"") }
      case .average: return (hasMeanNorm ? .normalizedMean : .meanOfNormalized, nil)
      case .attention:
        guard shapes.has(latent) else { throw refused("map without an attention pool") }
        return (.attention, nil)
      case nil:
        if shapes.has(latent) { return (.attention, deduced(latent)) }
        if hasMeanNorm { return (.normalizedMean, deduced(norm)) }
      }
      guard hasClassToken else {
        return (.meanOfNormalized, .absent(tensor: shapes.stored("vision.classToken")))
      }
      // Of transformers' DeiTs only the one with two heads reads both tokens.
      guard shapes.has(distillation) else {
        return (.classToken, library == .transformers ? .published("classifiers of transformers") : nil)
      }
      guard library == .transformers, hints.pooling == nil else {
        return (.classAndDistillation, deduced(distillation))
      }
      let isPair = shapes.stored("head").hasPrefix("cls")
      return (isPair ? .classAndDistillation : .classToken, shapes.has("head") ? deduced("head") : nil)
    }
    let (pooling, origin) = try found()
    if hints.pooling == nil, let unread = hints.unreadPooling, unread != pooling.global.rawValue {
      add(
        BackboneHints.Setting.pooling.rawValue, pooling.words,
        .assumed("config.json: global_pool is \(unread), which timm reads in model_args alone"))
    } else {
      add(.pooling, pooling.words, origin)
    }
    return pooling
  }
}

extension VisionConfiguration.Pooling {
  /// The name in configurations.
  fileprivate var global: GlobalPooling {
    switch self {
    case .classToken, .classAndDistillation: .token
    case .meanOfNormalized, .normalizedMean: .average
    case .attention: .attention
    }
  }

  /// The pooling in words.
  package var words: String {
    switch self {
    case .classToken: "class token"
    case .meanOfNormalized: "mean over the normalised patches"
    case .normalizedMean: "normalised mean over patches"
    case .classAndDistillation: "mean of class and distillation tokens"
    case .attention: "attention of a learned query"
    }
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
