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
  /// The form of a block.
  public let form: BlockForm

  /// Sizes by name; the plain block unless another form is given.
  public init(
    width: Int, hiddenWidth: Int, blocks: Int, heads: Int, activation: Activation, epsilon: Double,
    form: BlockForm = .plain
  ) {
    (self.width, self.hiddenWidth, self.blocks, self.heads) = (width, hiddenWidth, blocks, heads)
    (self.activation, self.epsilon, self.form) = (activation, epsilon, form)
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

  /// The number of tokens: the patches, and class token, distillation token and registers, if there are any.
  public var tokens: Int { patches + form.prefixTokens }
}
