import Tensor

/// What the shapes of a checkpoint do not tell, where its user or a `config.json` does.
public struct BackboneHints: Sendable, Equatable {
  /// The height and width of a picture, in pixels; positions of another size are resized.
  public var imageSize: Int?
  /// The number of attention heads of a vision transformer.
  public var heads: Int?
  /// ε of the layer norms; of a ConvNeXt, of the last one.
  public var epsilon: Double?
  /// The nonlinearity of the MLPs.
  public var activation: Activation?
  /// How positions are resized.
  public var resampling: PositionResampling

  /// Nothing but what is given.
  public init(
    imageSize: Int? = nil, heads: Int? = nil, epsilon: Double? = nil, activation: Activation? = nil,
    resampling: PositionResampling = .timm
  ) {
    (self.imageSize, self.heads, self.epsilon, self.activation) = (imageSize, heads, epsilon, activation)
    self.resampling = resampling
  }

  /// These, and where they say nothing what others say.
  package func filled(from others: BackboneHints) -> BackboneHints {
    BackboneHints(
      imageSize: imageSize ?? others.imageSize, heads: heads ?? others.heads, epsilon: epsilon ?? others.epsilon,
      activation: activation ?? others.activation, resampling: resampling)
  }
}
