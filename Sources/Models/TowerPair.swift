import Tensor

/// Both towers of a CLIP as one image tower whose parameters are those of both: for whoever tunes, stores or merges
/// tensors of both alike. A pass tunes the sites of either, as their names differ.
public struct TowerPair: ImageTower {
  /// The image tower, whose features are those of the pair.
  public let image: any ImageTower
  /// The text tower.
  public let text: TextTransformer

  /// A pair of towers.
  public init(image: any ImageTower, text: TextTransformer) { (self.image, self.text) = (image, text) }

  /// Image features, not normalised.
  public func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable { image(images, pass) }

  /// Every frozen tensor, those of the image tower first.
  public var parameters: [Parameter] { image.parameters + text.parameters }

  /// The height and width of an image, in pixels.
  public var imageSize: Int { image.imageSize }

  /// The width of the features.
  public var featureWidth: Int { image.featureWidth }

  /// What the projection of the image tower reads.
  public func trunk(_ images: Variable, _ pass: Pass) -> Variable { image.trunk(images, pass) }

  /// The projection of the image tower.
  public var projection: Linear? { image.projection }

  /// The features of what the projection of the image tower reads.
  public func projected(_ trunk: Variable, _ pass: Pass) -> Variable { image.projected(trunk, pass) }

  /// Those of the image tower.
  public var promptSites: [Site] { image.promptSites }

  /// Those of the image tower.
  public var parallelSites: [ParallelSite] { image.parallelSites }

  /// Those of the image tower.
  public var inputSites: [BlockSite] { image.inputSites }

  /// Those of the image tower.
  public var bypassSites: [BlockSite] { image.bypassSites }

  /// That of the image tower.
  public var tokenGrid: TokenGrid? { image.tokenGrid }
}
