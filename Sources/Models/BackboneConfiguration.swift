/// The architecture of an image classifier's tower, and its sizes.
public enum BackboneConfiguration: Sendable, Equatable {
  /// A vision transformer: ViT-B/16, ViT-L/14, …
  case visionTransformer(VisionConfiguration)

  /// What it is called: `ViT`.
  public var architecture: String {
    switch self {
    case .visionTransformer: "ViT"
    }
  }

  /// The height and width of a picture, in pixels.
  public var imageSize: Int {
    switch self {
    case .visionTransformer(let size): size.imageSize
    }
  }

  /// The width of the features.
  public var featureWidth: Int {
    switch self {
    case .visionTransformer(let size): size.transformer.width
    }
  }

  /// Reads the tower.
  func tower(_ reader: inout WeightReader) throws(WeightsError) -> any ImageTower {
    switch self {
    case .visionTransformer(let size): try VisionTransformer(&reader, size, embedding: nil)
    }
  }
}

/// What the shapes of a checkpoint do not tell, where its user or a `config.json` does.
public struct BackboneHints: Sendable, Equatable {
  /// The height and width of a picture, in pixels.
  public var imageSize: Int?
  /// The number of attention heads of a vision transformer.
  public var heads: Int?
  /// ε of the layer norms.
  public var epsilon: Double?
  /// The nonlinearity of the MLPs.
  public var activation: Activation?

  /// Nothing but what is given.
  public init(
    imageSize: Int? = nil, heads: Int? = nil, epsilon: Double? = nil, activation: Activation? = nil
  ) {
    (self.imageSize, self.heads, self.epsilon, self.activation) = (imageSize, heads, epsilon, activation)
  }
}
