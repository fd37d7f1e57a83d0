import Tensor

/// The architecture of an image tower, and its sizes.
public enum ImageConfiguration: Sendable, Equatable {
  /// A vision transformer: ViT-B/16, ViT-L/14, …
  case visionTransformer(VisionConfiguration)
  /// A transformer of shifted windows: Swin-T, Swin-B, …
  case swin(SwinConfiguration)
  /// A network of convolutions: ConvNeXt-T, ConvNeXt-B, …
  case convNeXt(ConvNeXtConfiguration)
  /// CLIP's ResNet: RN50, RN101, RN50x4, …
  case resNet(ResNetConfiguration)

  /// What it is called: `ViT`, `Swin`, `ConvNeXt`, `ResNet`.
  public var architecture: String {
    switch self {
    case .visionTransformer: "ViT"
    case .swin: "Swin"
    case .convNeXt: "ConvNeXt"
    case .resNet: "ResNet"
    }
  }

  /// The height and width of an image, in pixels.
  public var imageSize: Int {
    switch self {
    case .visionTransformer(let size): size.imageSize
    case .swin(let size): size.imageSize
    case .convNeXt(let size): size.imageSize
    case .resNet(let size): size.imageSize
    }
  }

  /// The width of the features that are not projected to an embedding space.
  public var featureWidth: Int {
    switch self {
    case .visionTransformer(let size): size.transformer.width
    case .swin(let size): size.featureWidth
    case .convNeXt(let size): size.featureWidth
    case .resNet(let size): size.channels
    }
  }

  /// Reads the tower; one whose features are projected to `embedding` numbers, or left as wide as they are.
  func tower(_ reader: inout WeightReader, embedding: Int?) throws(WeightsError) -> any ImageTower {
    switch self {
    case .visionTransformer(let size): return try VisionTransformer(&reader, size, embedding: embedding)
    case .resNet(let size): return try ModifiedResNet(&reader, size, embedding: embedding ?? featureWidth)
    case .swin(let size):
      requireNoProjection(to: embedding)
      return try Swin(&reader, size)
    case .convNeXt(let size):
      requireNoProjection(to: embedding)
      return try ConvNeXt(&reader, size)
    }
  }

  /// Traps where the features of an architecture without a projection are to be projected.
  func requireNoProjection(to embedding: Int?) {
    require(
      embedding == nil,
      "ImageConfiguration: expected a ViT or a ResNet to be projected to \(embedding ?? 0) numbers, "
        + "found a \(architecture)"
    )
  }
}
