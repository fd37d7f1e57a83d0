import Tensor

/// A vision transformer (Dosovitskiy et al. 2021), and CLIP's form of it (Radford et al. 2021, section 2.4): no bias in
/// the patch embedding, a norm before the first block, a linear projection without bias at the end.
public struct VisionTransformer: ImageTower, ParameterizedLayer {
  package static let layer = Layer.visionTransformer

  /// The sizes.
  public let configuration: VisionConfiguration
  let patchEmbedding: PatchEmbedding
  let classToken: Parameter?
  let positions: Parameter
  let preNorm: LayerNorm?
  let blocks: [TransformerBlock]
  let postNorm: LayerNorm
  let projection: Linear?

  /// Reads a tower; its features are projected to width `embedding`, or left as wide as its tokens.
  package init(_ reader: inout WeightReader, _ configuration: VisionConfiguration, embedding: Int?) throws(WeightsError)
  {
    self.configuration = configuration
    let (size, form) = (configuration.transformer, configuration.form)
    let width = size.width
    patchEmbedding = try PatchEmbedding(
      &reader, width: width, size: configuration.patchSize, hasBias: form.hasPatchBias)
    classToken = form.hasClassToken ? try reader.parameter(Site("vision.classToken", .classToken), [width]) : nil
    positions = try reader.positions(
      Site("vision.positions", .positions), prefix: form.hasClassToken ? 1 : 0, side: configuration.grid, width: width)
    preNorm = form.hasPreNorm ? try LayerNorm(&reader, "vision.preNorm", width: width, epsilon: size.epsilon) : nil
    var blocks: [TransformerBlock] = []
    for index in 0..<size.blocks {
      blocks.append(try TransformerBlock(&reader, tower: "vision", index: index, size, isCausal: false))
    }
    self.blocks = blocks
    postNorm = try LayerNorm(&reader, form.pooling.normName, width: width, epsilon: size.epsilon)
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
  public func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable {
    checkImages(images)
    let patches = pass.observed("vision.patchEmbedding", patchEmbedding(images, pass))
    let tokens = classToken.map { patches.prepending(pass[$0]) } ?? patches
    let embedded = pass.observed("vision.embedding", tokens.adding(pass[positions]))
    var state = preNorm.map { pass.observed("vision.preNorm", $0(embedded, pass)) } ?? embedded
    for block in blocks { state = block(state, pass) }
    let features = pass.observed(configuration.form.pooling.normName, pooled(state, pass))
    return projection?(features, pass) ?? features
  }

  /// [batch, tokens, width] → [batch, width]; tokens that do not reach the features are not normalised.
  private func pooled(_ state: Variable, _ pass: Pass) -> Variable {
    let first = classToken == nil ? 0 : 1
    return switch configuration.form.pooling {
    case .classToken: postNorm(state.selectingToken(Array(repeating: 0, count: state.shape[0])), pass)
    case .meanOfNormalized: postNorm(state, pass).meanToken(from: first)
    case .normalizedMean: postNorm(state.meanToken(from: first), pass)
    }
  }

  /// Every frozen tensor, in the order of the forward pass.
  public var parameters: [Parameter] {
    let embedding = patchEmbedding.parameters + [classToken, positions].compactMap(\.self)
    let norm = preNorm?.parameters ?? []
    let last = postNorm.parameters + (projection?.parameters ?? [])
    return embedding + norm + blocks.flatMap(\.parameters) + last
  }
}

extension VisionConfiguration.Pooling {
  /// The last norm, whose stored name says what it normalises.
  var normName: String { self == .normalizedMean ? "vision.pooledNorm" : "vision.postNorm" }
}
