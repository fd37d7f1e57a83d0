import Tensor

/// ConvNeXt, a network of convolutions in the manner of Swin (Liu et al. 2022). Its maps have their channels last:
/// [batch, pixels, channels].
public struct ConvNeXt: ImageTower, ParameterizedLayer {
  package static let layer = Layer.convNeXt

  /// The sizes.
  public let configuration: ConvNeXtConfiguration
  let patchEmbedding: PatchEmbedding
  let patchNorm: LayerNorm
  let stages: [ConvNeXtStage]
  let postNorm: LayerNorm

  package init(_ reader: inout WeightReader, _ configuration: ConvNeXtConfiguration) throws(WeightsError) {
    self.configuration = configuration
    let width = configuration.widths[0]
    patchEmbedding = try PatchEmbedding(&reader, width: width, size: configuration.patchSize, hasBias: true)
    patchNorm = try LayerNorm(&reader, "vision.patchNorm", width: width, epsilon: configuration.epsilon)
    var stages: [ConvNeXtStage] = []
    for stage in configuration.blocks.indices {
      stages.append(try ConvNeXtStage(&reader, stage: stage, configuration))
    }
    self.stages = stages
    postNorm = try LayerNorm(
      &reader, "vision.postNorm", width: configuration.featureWidth, epsilon: configuration.finalEpsilon)
  }

  /// The height and width of an image, in pixels.
  public var imageSize: Int { configuration.imageSize }

  /// The width of the features: that of the last stage.
  public var featureWidth: Int { configuration.featureWidth }

  /// Image features: the norm of the mean over the pixels of the last stage.
  ///
  /// - images: [batch, 3, imageSize, imageSize], preprocessed; result: [batch, featureWidth].
  public func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable {
    checkImages(images)
    var map = pass.observed("vision.patchNorm", patchNorm(patchEmbedding(images, pass), pass))
    for stage in stages { map = stage(map, pass) }
    return pass.observed("vision.postNorm", postNorm(map.meanToken(), pass))
  }

  /// Every frozen tensor, in the order of the forward pass.
  public var parameters: [Parameter] {
    patchEmbedding.parameters + patchNorm.parameters + stages.flatMap(\.parameters) + postNorm.parameters
  }
}

/// The blocks on maps of one size, preceded, except in the first stage, by the downsampling.
package struct ConvNeXtStage: ParameterizedLayer {
  package static let layer = Layer.convNeXtStage

  let downsampling: ConvNeXtDownsampling?
  let blocks: [ConvNeXtBlock]

  /// Reads a stage, counted from 0.
  package init(_ reader: inout WeightReader, stage: Int, _ size: ConvNeXtConfiguration) throws(WeightsError) {
    let name = "vision.stage\(stage + 1)"
    downsampling =
      stage == 0
      ? nil
      : try ConvNeXtDownsampling(
        &reader, "\(name).downsampling", side: size.side(of: stage - 1), from: size.widths[stage - 1],
        to: size.widths[stage], epsilon: size.epsilon)
    let first = size.blocks.prefix(stage).reduce(0, +)
    var blocks: [ConvNeXtBlock] = []
    for index in 0..<size.blocks[stage] {
      blocks.append(
        try ConvNeXtBlock(&reader, "\(name).blocks.\(index)", stage: stage, number: first + index, size))
    }
    self.blocks = blocks
  }

  /// map: [batch, side · side, width] of the stage before → that of this one
  package func callAsFunction(_ map: Variable, _ pass: Pass) -> Variable {
    var map = downsampling.map { $0(map, pass) } ?? map
    for block in blocks { map = block(map, pass) }
    return map
  }

  package var parameters: [Parameter] { (downsampling?.parameters ?? []) + blocks.flatMap(\.parameters) }
}
