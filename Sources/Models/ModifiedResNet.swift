import Tensor

/// CLIP's ResNet (Radford et al. 2021, section 2.4; He et al. 2016): a stem of three convolutions, average pools
/// instead of strides, an attention pool at the end. Batch norms use the statistics of the pretraining, always.
public struct ModifiedResNet: ImageTower, ParameterizedLayer {
  package static let layer = Layer.modifiedResNet

  /// The sizes.
  public let configuration: ResNetConfiguration
  let convolutions: [Convolution]
  let norms: [BatchNorm]
  let blocks: [Bottleneck]
  let pool: AttentionPool

  package init(_ reader: inout WeightReader, _ configuration: ResNetConfiguration, embedding: Int) throws(WeightsError)
  {
    self.configuration = configuration
    let width = configuration.width
    var (convolutions, norms, blocks): ([Convolution], [BatchNorm], [Bottleneck]) = ([], [], [])
    for (index, (from, to)) in [(3, width / 2), (width / 2, width / 2), (width / 2, width)].enumerated() {
      let number = index + 1
      convolutions.append(
        try Convolution(
          &reader, "vision.stem.convolution\(number)", from: from, to: to, size: 3, stride: index == 0 ? 2 : 1))
      norms.append(try BatchNorm(&reader, "vision.stem.norm\(number)", channels: to))
    }
    var channels = width
    for (stage, count) in configuration.stages.enumerated() {
      for index in 0..<count {
        let block = try Bottleneck(
          &reader, "vision.stage\(stage + 1).blocks.\(index)", index: blocks.count, from: channels,
          middle: width << stage, stride: stage > 0 && index == 0 ? 2 : 1)
        blocks.append(block)
        channels = Bottleneck.expansion * width << stage
      }
    }
    (self.convolutions, self.norms, self.blocks) = (convolutions, norms, blocks)
    pool = try AttentionPool(
      &reader, "vision.attentionPool", pixels: configuration.pixels, channels: configuration.channels,
      heads: configuration.heads, to: embedding)
  }

  /// The height and width of an image, in pixels.
  public var imageSize: Int { configuration.imageSize }

  /// The width of the features: embedding.
  public var featureWidth: Int { pool.output.weight.value.shape[0] }

  /// Image features, not normalised.
  ///
  /// - images: [batch, 3, imageSize, imageSize], preprocessed; result: [batch, embedding].
  public func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable {
    pass.observed("vision.attentionPool", projected(trunk(images, pass), pass))
  }

  /// The last map of the attention pool.
  public var projection: Linear? { pool.output }

  /// What the last map of the attention pool reads: [batch, channels].
  public func trunk(_ images: Variable, _ pass: Pass) -> Variable {
    checkImages(images)
    var map = images
    for (index, (convolution, norm)) in zip(convolutions, norms).enumerated() {
      map = pass.observed("vision.stem.norm\(index + 1)", norm(convolution(map, pass), pass)).relu()
    }
    map = map.averagePooled(by: 2)
    for block in blocks { map = block(map, pass) }
    return pool.attended(map, pass)
  }

  /// Every frozen tensor, in the order of the forward pass.
  public var parameters: [Parameter] {
    zip(convolutions, norms).flatMap { $0.parameters + $1.parameters } + blocks.flatMap(\.parameters)
      + pool.parameters
  }
}
