import Tensor

/// The sizes of a stack of transformer blocks.
public struct TransformerConfiguration: Sendable, Equatable {
  /// The width of a token.
  public let width: Int
  /// The hidden width of the MLP.
  public let hiddenWidth: Int
  /// The number of blocks.
  public let blocks: Int
  /// The number of attention heads; divides `width`.
  public let heads: Int
  /// The nonlinearity of the MLP.
  public let activation: Activation
  /// ε of every layer norm.
  public let epsilon: Double

  /// Sizes by name.
  public init(width: Int, hiddenWidth: Int, blocks: Int, heads: Int, activation: Activation, epsilon: Double) {
    (self.width, self.hiddenWidth, self.blocks, self.heads) = (width, hiddenWidth, blocks, heads)
    (self.activation, self.epsilon) = (activation, epsilon)
  }
}

/// The sizes of an image tower that is a vision transformer.
public struct VisionConfiguration: Sendable, Equatable {
  /// The blocks.
  public let transformer: TransformerConfiguration
  /// The height and width of an image, in pixels.
  public let imageSize: Int
  /// The height and width of a patch, in pixels.
  public let patchSize: Int
  /// The form of the tower around the blocks.
  public let form: Form

  /// Sizes by name; CLIP's form unless another is given.
  public init(transformer: TransformerConfiguration, imageSize: Int, patchSize: Int, form: Form = .clip) {
    (self.transformer, self.imageSize, self.patchSize) = (transformer, imageSize, patchSize)
    self.form = form
  }

  /// The patches along one side of an image.
  public var grid: Int { imageSize / patchSize }

  /// The number of patches of an image.
  public var patches: Int { grid * grid }

  /// The number of tokens: the patches and the class token, if there is one.
  public var tokens: Int { patches + (form.hasClassToken ? 1 : 0) }

  /// The differences of published vision transformers outside of their blocks.
  public struct Form: Sendable, Equatable {
    /// True if the patch embedding adds a bias.
    public let hasPatchBias: Bool
    /// True if there is a norm before the first block.
    public let hasPreNorm: Bool
    /// True if there is a class token before the patches.
    public let hasClassToken: Bool
    /// The pooling of tokens to features.
    public let pooling: Pooling

    /// A form by its parts; traps on class-token pooling without a class token.
    public init(hasPatchBias: Bool, hasPreNorm: Bool, hasClassToken: Bool, pooling: Pooling) {
      require(hasClassToken || pooling != .classToken, "VisionConfiguration: expected a class token, found none")
      (self.hasPatchBias, self.hasPreNorm) = (hasPatchBias, hasPreNorm)
      (self.hasClassToken, self.pooling) = (hasClassToken, pooling)
    }

    /// Radford et al. 2021, section 2.4.
    public static let clip = Form(hasPatchBias: false, hasPreNorm: true, hasClassToken: true, pooling: .classToken)
    /// Dosovitskiy et al. 2021, section 3.1.
    public static let classifier = Form(
      hasPatchBias: true, hasPreNorm: false, hasClassToken: true, pooling: .classToken)
  }

  /// The pooling of the last block's tokens into one vector of features.
  public enum Pooling: String, Sendable, CaseIterable {
    /// The class token, normalised.
    case classToken
    /// The mean over the patches of the normalised tokens.
    case meanOfNormalized = "meanOfNormalised"
    /// The norm of the mean over the patches: `fc_norm` of timm, global pooling of MAE's fine-tuning.
    case normalizedMean = "normalisedMean"
  }
}
