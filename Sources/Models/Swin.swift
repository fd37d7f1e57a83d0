import Tensor

/// Swin, a vision transformer whose tokens attend to those of their window, and which halves its maps stage by stage
/// (Liu et al. 2021), version 1 or 2 (Liu et al. 2022).
public struct Swin: ImageTower, ParameterizedLayer {
  package static let layer = Layer.swin

  /// The sizes.
  public let configuration: SwinConfiguration
  let patchEmbedding: PatchEmbedding
  let patchNorm: LayerNorm
  let stages: [SwinStage]
  let postNorm: LayerNorm

  package init(_ reader: inout WeightReader, _ configuration: SwinConfiguration) throws(WeightsError) {
    self.configuration = configuration
    let epsilon = configuration.epsilon
    patchEmbedding = try PatchEmbedding(
      &reader, width: configuration.width, size: configuration.patchSize, hasBias: true)
    patchNorm = try LayerNorm(
      &reader, "vision.patchNorm", width: configuration.width, epsilon: configuration.patchEpsilon)
    var stages: [SwinStage] = []
    for stage in configuration.blocks.indices {
      stages.append(try SwinStage(&reader, stage: stage, configuration))
    }
    self.stages = stages
    postNorm = try LayerNorm(&reader, "vision.postNorm", width: configuration.featureWidth, epsilon: epsilon)
  }

  /// The height and width of an image, in pixels.
  public var imageSize: Int { configuration.imageSize }

  /// The width of the features: that of the last stage.
  public var featureWidth: Int { configuration.featureWidth }

  /// Image features: the mean over the normalised tokens of the last stage.
  ///
  /// - images: [batch, 3, imageSize, imageSize], preprocessed; result: [batch, featureWidth].
  public func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable {
    checkImages(images)
    var tokens = pass.observed("vision.patchNorm", patchNorm(patchEmbedding(images, pass), pass))
    for stage in stages { tokens = stage(tokens, pass) }
    return pass.observed("vision.postNorm", postNorm(tokens, pass)).meanToken()
  }

  /// One per block.
  public var parallelSites: [ParallelSite] { stages.flatMap { $0.blocks.map(\.parallelSite) } }

  /// Two per block; none in version 2, whose norms follow the branches.
  public var inputSites: [BlockSite] { stages.flatMap { $0.blocks.flatMap(\.inputSites) } }

  /// Every frozen tensor, in the order of the forward pass.
  public var parameters: [Parameter] {
    patchEmbedding.parameters + patchNorm.parameters + stages.flatMap(\.parameters) + postNorm.parameters
  }
}

extension SwinConfiguration {
  /// The width of the features: that of the last stage.
  public var featureWidth: Int { width(of: blocks.count - 1) }
}

/// The blocks on maps of one size, preceded, except in the first stage, by the patch merging.
package struct SwinStage: ParameterizedLayer {
  package static let layer = Layer.swinStage

  let merging: PatchMerging?
  let blocks: [SwinBlock]

  /// Reads a stage, counted from 0.
  package init(_ reader: inout WeightReader, stage: Int, _ size: SwinConfiguration) throws(WeightsError) {
    let name = "vision.stage\(stage + 1)"
    merging =
      stage == 0
      ? nil
      : try PatchMerging(
        &reader, "\(name).merging", side: size.side(of: stage - 1), width: size.width(of: stage - 1),
        epsilon: size.patchEpsilon, normalizesLast: size.isSecondVersion)
    let first = size.blocks.prefix(stage).reduce(0, +)
    var blocks: [SwinBlock] = []
    for index in 0..<size.blocks[stage] {
      blocks.append(
        try SwinBlock(
          &reader, "\(name).blocks.\(index)", stage: stage, isShifted: index % 2 == 1, number: first + index, size))
    }
    self.blocks = blocks
  }

  /// tokens: [batch, side · side, width] of the stage before → those of this one
  package func callAsFunction(_ tokens: Variable, _ pass: Pass) -> Variable {
    var tokens = merging.map { $0(tokens, pass) } ?? tokens
    for block in blocks { tokens = block(tokens, pass) }
    return tokens
  }

  package var parameters: [Parameter] { (merging?.parameters ?? []) + blocks.flatMap(\.parameters) }
}
