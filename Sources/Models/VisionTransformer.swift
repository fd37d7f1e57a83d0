import Tensor

/// A vision transformer (Dosovitskiy et al. 2021), and CLIP's form of it (Radford et al. 2021, section 2.4): no bias in
/// the patch embedding, a norm before the first block, a linear projection without bias at the end.
public struct VisionTransformer: ImageTower, ParameterizedLayer {
  package static let layer = Layer.visionTransformer

  /// The sizes.
  public let configuration: VisionConfiguration
  let patchEmbedding: PatchEmbedding
  let classToken: Parameter?
  let distillationToken: Parameter?
  let registers: Parameter?
  let positions: Parameter?
  let preNorm: LayerNorm?
  let blocks: [TransformerBlock]
  let postNorm: LayerNorm
  let pool: LatentPool?
  /// From the width of a token to that of the features; `nil` where they are the same.
  public let projection: Linear?

  /// Reads a tower; its features are projected to width `embedding`, or left as wide as its tokens.
  package init(_ reader: inout WeightReader, _ configuration: VisionConfiguration, embedding: Int?) throws(WeightsError)
  {
    self.configuration = configuration
    let (size, form) = (configuration.transformer, configuration.form)
    let width = size.width
    patchEmbedding = try PatchEmbedding(
      &reader, width: width, size: configuration.patchSize, hasBias: form.hasPatchBias)
    classToken = form.hasClassToken ? try reader.parameter(Site("vision.classToken", .classToken), [width]) : nil
    distillationToken =
      form.hasDistillationToken ? try reader.parameter(Site("vision.distillationToken", .classToken), [width]) : nil
    registers =
      form.registers > 0
      ? try reader.parameter(Site("vision.registers", .registers), [form.registers, width]) : nil
    positions =
      form.positions == .none
      ? nil
      : try reader.positions(
        Site("vision.positions", .positions), prefix: form.positionedPrefix, side: configuration.grid, width: width)
    preNorm = form.hasPreNorm ? try LayerNorm(&reader, "vision.preNorm", width: width, epsilon: size.epsilon) : nil
    let rotation = try form.rotary.map { (periods) throws(WeightsError) in
      TokenRotation.axial(
        grid: configuration.grid, periods: try periods.values(&reader, headWidth: width / size.heads))
    }
    var blocks: [TransformerBlock] = []
    for index in 0..<size.blocks {
      blocks.append(
        try TransformerBlock(&reader, tower: "vision", index: index, size, isCausal: false, rotation: rotation))
    }
    self.blocks = blocks
    postNorm = try LayerNorm(&reader, form.pooling.normName, width: width, epsilon: size.epsilon)
    pool = form.pooling == .attention ? try LatentPool(&reader, "vision.attentionPool", size) : nil
    projection = try embedding.map { (embedding) throws(WeightsError) in
      try Linear(&reader, "vision.projection", .projection, from: width, to: embedding, hasBias: false)
    }
  }

  /// The height and width of an image, in pixels.
  public var imageSize: Int { configuration.imageSize }

  /// The width of the features: that of the projection, or of a token.
  public var featureWidth: Int { projection?.weight.value.shape[0] ?? configuration.transformer.width }

  /// Image features, not normalised.
  ///
  /// - images: [batch, 3, imageSize, imageSize], preprocessed; result: [batch, featureWidth].
  public func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable { projected(trunk(images, pass), pass) }

  /// What the projection reads: [batch, width].
  public func trunk(_ images: Variable, _ pass: Pass) -> Variable {
    pass.observed(configuration.form.pooling.normName, pooled(state(images, pass), pass))
  }

  /// The tokens after the last block: [batch, tokens, width].
  func state(_ images: Variable, _ pass: Pass) -> Variable {
    checkImages(images)
    let patches = pass.observed("vision.patchEmbedding", patchEmbedding(images, pass))
    let embedded = pass.observed("vision.embedding", embedded(patches, pass))
    let first = preNorm.map { pass.observed("vision.preNorm", $0(embedded, pass)) } ?? embedded
    var sequence = PromptedSequence(first, prefix: configuration.form.prefixTokens)
    for block in blocks {
      sequence.insertPrompts(at: block.promptSite, pass)
      sequence.apply { block($0, pass) }
    }
    return sequence.withoutPrompts
  }

  /// One token, normalised: [batch, width].
  func normalizedToken(_ index: Int, of state: Variable, _ pass: Pass) -> Variable {
    postNorm(state.selectingToken(Array(repeating: index, count: state.shape[0])), pass)
  }

  /// The mean over the normalised patches: [batch, width].
  func normalizedMean(of state: Variable, _ pass: Pass) -> Variable {
    postNorm(state, pass).meanToken(from: configuration.form.prefixTokens)
  }

  /// The patches with the tokens before them and all position embeddings: [batch, patches, width] → [batch, tokens,
  /// width].
  private func embedded(_ patches: Variable, _ pass: Pass) -> Variable {
    let (form, prefix) = (configuration.form, [classToken, distillationToken, registers])
    var (tokens, count) = (patches, 0)
    // Tokens that follow each other: those with positions are there when positions are added, the others join later.
    func add(_ parameter: Parameter?) {
      guard let parameter else { return }
      tokens = tokens.prepending(pass[parameter], after: count)
      count += parameter.value.shape.rows
    }
    let early = form.positions == .all ? 3 : form.positions == .withoutRegisters ? 2 : 0
    prefix[..<early].forEach(add)
    if let positions { tokens = tokens.adding(pass[positions]) }
    prefix[early...].forEach(add)
    return tokens
  }

  /// [batch, tokens, width] → [batch, width]; tokens that do not reach the features are not normalised.
  private func pooled(_ state: Variable, _ pass: Pass) -> Variable {
    switch configuration.form.pooling {
    case .classToken: return normalizedToken(0, of: state, pass)
    case .meanOfNormalized: return normalizedMean(of: state, pass)
    case .normalizedMean: return postNorm(state.meanToken(from: configuration.form.prefixTokens), pass)
    case .classAndDistillation:
      let zero = Variable(.zeros([state.shape[0], state.shape[2]]))
      return zero.adding(normalizedToken(0, of: state, pass), scale: 0.5)
        .adding(normalizedToken(1, of: state, pass), scale: 0.5)
    case .attention:
      guard let pool else { trap("VisionTransformer: expected an attention pool, found none") }
      return pool(postNorm(state, pass), pass)
    }
  }

  /// One per block, unless relative positions fix the number of tokens.
  public var promptSites: [Site] {
    configuration.transformer.form.relativeGrid == nil ? blocks.map(\.promptSite) : []
  }

  /// One per block.
  public var parallelSites: [ParallelSite] { blocks.map(\.parallelSite) }

  /// Two per block.
  public var inputSites: [BlockSite] { blocks.flatMap(\.inputSites) }

  /// Two per block.
  public var bypassSites: [BlockSite] { blocks.flatMap(\.bypassSites) }

  /// The tokens before the patches, and the square of these.
  public var tokenGrid: TokenGrid? { TokenGrid(prefix: configuration.form.prefixTokens, side: configuration.grid) }

  /// Every frozen tensor, in the order of the forward pass.
  public var parameters: [Parameter] {
    let tokens = [classToken, distillationToken, registers, positions].compactMap(\.self)
    let embedding = patchEmbedding.parameters + tokens
    let norm = preNorm?.parameters ?? []
    let last = postNorm.parameters + (pool?.parameters ?? []) + (projection?.parameters ?? [])
    return embedding + norm + blocks.flatMap(\.parameters) + last
  }
}

extension VisionConfiguration.Pooling {
  /// The last norm, whose stored name says what it normalises.
  var normName: String { self == .normalizedMean ? "vision.pooledNorm" : "vision.postNorm" }
}
