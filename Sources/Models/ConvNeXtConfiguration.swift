import Tensor

/// The sizes of a ConvNeXt (Liu et al. 2022, section 3).
///
/// | model | blocks | widths |
/// | --- | --- | --- |
/// | ConvNeXt-T | 3, 3, 9, 3 | 96, 192, 384, 768 |
/// | ConvNeXt-S | 3, 3, 27, 3 | 96, 192, 384, 768 |
/// | ConvNeXt-B | 3, 3, 27, 3 | 128, 256, 512, 1024 |
/// | ConvNeXt-L | 3, 3, 27, 3 | 192, 384, 768, 1536 |
/// | ConvNeXt-XL | 3, 3, 27, 3 | 256, 512, 1024, 2048 |
public struct ConvNeXtConfiguration: Sendable, Equatable {
  /// The number of blocks of each stage.
  public let blocks: [Int]
  /// The channels of each stage.
  public let widths: [Int]
  /// The hidden width of an MLP relative to that of a pixel.
  public let expansion: Int
  /// The height and width of the depthwise kernels; odd.
  public let kernelSize: Int
  /// The height and width of an image, in pixels.
  public let imageSize: Int
  /// The height and width of a patch of the stem, in pixels.
  public let patchSize: Int
  /// True if the blocks have a layer scale.
  public let hasLayerScale: Bool
  /// True if the MLPs have a global response norm (ConvNeXt V2).
  public let hasResponseNorm: Bool
  /// The nonlinearity of the MLPs.
  public let activation: Activation
  /// ε of the layer norms except the last.
  public let epsilon: Double
  /// ε of the last layer norm, for which Hugging Face's configuration states a different one.
  public let finalEpsilon: Double

  /// Sizes by name; traps where `problem` finds one.
  public init(
    blocks: [Int], widths: [Int], expansion: Int = 4, kernelSize: Int = 7, imageSize: Int = 224, patchSize: Int = 4,
    hasLayerScale: Bool = true, hasResponseNorm: Bool = false, activation: Activation = .gelu, epsilon: Double = 1e-6,
    finalEpsilon: Double? = nil
  ) {
    self.init(
      unchecked: blocks, widths: widths, expansion: expansion, kernelSize: kernelSize, imageSize: imageSize,
      patchSize: patchSize, hasLayerScale: hasLayerScale, hasResponseNorm: hasResponseNorm, activation: activation,
      epsilon: epsilon, finalEpsilon: finalEpsilon ?? epsilon)
    if let problem { trap("ConvNeXtConfiguration: \(problem)") }
  }

  init(
    unchecked blocks: [Int], widths: [Int], expansion: Int, kernelSize: Int, imageSize: Int, patchSize: Int,
    hasLayerScale: Bool, hasResponseNorm: Bool, activation: Activation, epsilon: Double, finalEpsilon: Double
  ) {
    (self.blocks, self.widths, self.expansion, self.kernelSize) = (blocks, widths, expansion, kernelSize)
    (self.imageSize, self.patchSize, self.hasLayerScale) = (imageSize, patchSize, hasLayerScale)
    (self.hasResponseNorm, self.activation) = (hasResponseNorm, activation)
    (self.epsilon, self.finalEpsilon) = (epsilon, finalEpsilon)
  }

  /// The first contradiction: expected and found.
  var problem: String? {
    guard !blocks.isEmpty, blocks.count == widths.count, blocks.allSatisfy({ $0 > 0 }),
      widths.allSatisfy({ $0 > 0 }), expansion > 0, patchSize > 0
    else { return "expected stages with blocks and widths, found \(blocks) and \(widths)" }
    guard kernelSize > 0, kernelSize % 2 == 1 else { return "expected an odd kernel, found \(kernelSize)" }
    let reduction = patchSize << (blocks.count - 1)
    guard imageSize > 0, imageSize % reduction == 0 else {
      return "image size: expected a multiple of \(reduction), found \(imageSize)"
    }
    // Published models have maps of at most 96; far beyond, the tables of neighbours fill the memory.
    guard side(of: 0) <= 1024 else {
      return "image size: expected maps of at most 1024 pixels along a side, found \(side(of: 0))"
    }
    return nil
  }

  /// The pixels along one side of the map of a stage, counted from 0.
  package func side(of stage: Int) -> Int { imageSize / (patchSize << stage) }

  /// The width of the features: that of the last stage.
  public var featureWidth: Int { widths[widths.count - 1] }
}
