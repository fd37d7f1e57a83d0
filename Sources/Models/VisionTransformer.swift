import Tensor

/// CLIP's vision transformer (Dosovitskiy et al. 2021; Radford et al. 2021, section 2.4): a norm before the first
/// block, the class token after the last one, a linear projection without bias.
public struct VisionTransformer: ImageTower, ParameterizedLayer {
  static let layer = Layer.visionTransformer

  /// The sizes.
  public let configuration: VisionConfiguration
  let patchEmbedding, classToken, positions: Parameter
  let preNorm, postNorm: LayerNorm
  let blocks: [TransformerBlock]
  let projection: Linear

  init(_ reader: inout WeightReader, _ configuration: VisionConfiguration, embedding: Int) throws(WeightsError) {
    self.configuration = configuration
    let size = configuration.transformer
    let (width, patch) = (size.width, configuration.patchSize)
    patchEmbedding = try reader.parameter(Site("vision.patchEmbedding", .patchEmbedding), [width, 3, patch, patch])
    classToken = try reader.parameter(Site("vision.classToken", .classToken), [width])
    positions = try reader.parameter(Site("vision.positions", .positions), [configuration.patches + 1, width])
    preNorm = try LayerNorm(&reader, "vision.preNorm", width: width, epsilon: size.epsilon)
    var blocks: [TransformerBlock] = []
    for index in 0..<size.blocks {
      blocks.append(try TransformerBlock(&reader, tower: "vision", index: index, size, isCausal: false))
    }
    self.blocks = blocks
    postNorm = try LayerNorm(&reader, "vision.postNorm", width: width, epsilon: size.epsilon)
    projection = try Linear(&reader, "vision.projection", .projection, from: width, to: embedding, hasBias: false)
  }

  /// The height and width of a picture, in pixels.
  public var imageSize: Int { configuration.imageSize }

  /// The width of the features: that of the projection, or of a token.
  public var featureWidth: Int { projection.weight.value.shape[0] }

  /// Image features, not normalised.
  ///
  /// - images: [batch, 3, imageSize, imageSize], preprocessed; result: [batch, embedding].
  public func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable {
    let (size, patch) = (configuration.imageSize, configuration.patchSize)
    precondition(
      images.shape.rank == 4 && images.shape.extents.suffix(3) == [3, size, size],
      "VisionTransformer: expected images [batch, 3, \(size), \(size)], found \(images.shape)")
    let kernel = pass[patchEmbedding].reshaped(to: [configuration.transformer.width, 3 * patch * patch])
    let patches = images.patches(of: patch).linear(kernel)
    let embedded = pass.observed(
      "vision.embedding", patches.prepending(pass[classToken]).adding(pass[positions]))
    var tokens = pass.observed("vision.preNorm", preNorm(embedded, pass))
    for block in blocks { tokens = block(tokens, pass) }
    let classes = tokens.selectingToken(Array(repeating: 0, count: images.shape[0]))
    return projection(pass.observed("vision.postNorm", postNorm(classes, pass)), pass)
  }

  /// Every frozen tensor, in the order of the forward pass.
  public var parameters: [Parameter] {
    [patchEmbedding, classToken, positions] + preNorm.parameters + blocks.flatMap(\.parameters)
      + postNorm.parameters + projection.parameters
  }
}
