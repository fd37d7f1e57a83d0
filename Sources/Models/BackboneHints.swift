import Tensor

/// Settings that the shapes of a checkpoint do not determine, stated by its user or a `config.json`.
public struct BackboneHints: Sendable, Equatable {
  /// The height and width of an image, in pixels; positions of another size are resized.
  public var imageSize: Int?
  /// The number of attention heads of a vision transformer.
  public var heads: Int?
  /// ε of the layer norms; of a ConvNeXt, of the last one.
  public var epsilon: Double?
  /// The nonlinearity of the MLPs.
  public var activation: Activation?
  /// The resampling of positions.
  public var resampling: PositionResampling

  /// The given settings and no others.
  public init(
    imageSize: Int? = nil, heads: Int? = nil, epsilon: Double? = nil, activation: Activation? = nil,
    resampling: PositionResampling = .timm
  ) {
    (self.imageSize, self.heads, self.epsilon, self.activation) = (imageSize, heads, epsilon, activation)
    self.resampling = resampling
  }

  /// These settings, completed by others where absent.
  package func filled(from others: BackboneHints) -> BackboneHints {
    BackboneHints(
      imageSize: imageSize ?? others.imageSize, heads: heads ?? others.heads, epsilon: epsilon ?? others.epsilon,
      activation: activation ?? others.activation, resampling: resampling)
  }
}
