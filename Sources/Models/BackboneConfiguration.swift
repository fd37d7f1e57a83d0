/// The architecture of an image classifier's tower, and its sizes.
public enum BackboneConfiguration: Sendable, Equatable {
  /// A vision transformer: ViT-B/16, ViT-L/14, …
  case visionTransformer(VisionConfiguration)
  /// A transformer of shifted windows: Swin-T, Swin-B, …
  case swin(SwinConfiguration)
  /// A network of convolutions: ConvNeXt-T, ConvNeXt-B, …
  case convNeXt(ConvNeXtConfiguration)

  /// What it is called: `ViT`, `Swin`, `ConvNeXt`.
  public var architecture: String {
    switch self {
    case .visionTransformer: "ViT"
    case .swin: "Swin"
    case .convNeXt: "ConvNeXt"
    }
  }

  /// The height and width of a picture, in pixels.
  public var imageSize: Int {
    switch self {
    case .visionTransformer(let size): size.imageSize
    case .swin(let size): size.imageSize
    case .convNeXt(let size): size.imageSize
    }
  }

  /// The width of the features.
  public var featureWidth: Int {
    switch self {
    case .visionTransformer(let size): size.transformer.width
    case .swin(let size): size.featureWidth
    case .convNeXt(let size): size.featureWidth
    }
  }

  /// Reads the tower.
  func tower(_ reader: inout WeightReader) throws(WeightsError) -> any ImageTower {
    switch self {
    case .visionTransformer(let size): try VisionTransformer(&reader, size, embedding: nil)
    case .swin(let size): try Swin(&reader, size)
    case .convNeXt(let size): try ConvNeXt(&reader, size)
    }
  }
}

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
