import Tensor

/// The part of a model that sees: pictures in, features out.
public protocol ImageTower: Sendable {
  /// Image features, not normalised.
  ///
  /// - images: [batch, 3, size, size], preprocessed; result: [batch, embedding].
  func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable

  /// Every frozen tensor, in the order of the forward pass.
  var parameters: [Parameter] { get }

  /// The height and width of a picture, in pixels.
  var imageSize: Int { get }

  /// The width of the features: embedding.
  var featureWidth: Int { get }
}

extension ImageTower {
  /// The token that stands before the patches, where there is one: [width].
  public var classToken: Parameter? { parameters.first { $0.site.role == .classToken } }

  /// Traps unless these are pictures of the right size.
  func checkImages(_ images: Variable) {
    require(
      images.shape.rank == 4 && images.shape.extents.suffix(3) == [3, imageSize, imageSize],
      "\(type(of: self)): expected images [batch, 3, \(imageSize), \(imageSize)], found \(images.shape)")
  }
}
