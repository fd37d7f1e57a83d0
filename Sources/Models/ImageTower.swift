import Tensor

/// The image encoder of a model: images in, features out.
public protocol ImageTower: Sendable {
  /// Image features, not normalised.
  ///
  /// - images: [batch, 3, size, size], preprocessed; result: [batch, embedding].
  func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable

  /// Every frozen tensor, in the order of the forward pass.
  var parameters: [Parameter] { get }

  /// The height and width of an image, in pixels.
  var imageSize: Int { get }

  /// The width of the features: embedding.
  var featureWidth: Int { get }

  /// What the projection reads: [batch, width]; the features in a tower without one.
  func trunk(_ images: Variable, _ pass: Pass) -> Variable

  /// The map whose output the features are; `nil` in a tower without one.
  var projection: Linear? { get }

  /// The features of what `trunk` gave: [batch, embedding].
  func projected(_ trunk: Variable, _ pass: Pass) -> Variable

  /// One site before every block at which tokens may join the sequence, in order; none in a tower whose blocks expect a
  /// fixed number of tokens.
  var promptSites: [Site] { get }

  /// One site per transformer block at which a branch may stand parallel to the MLP, in order; none in a tower without
  /// such blocks.
  var parallelSites: [ParallelSite] { get }

  /// The sites between a norm and the maps that read it, two per transformer block, in order; none in a tower whose
  /// blocks do not normalise what attention and MLP read.
  var inputSites: [BlockSite] { get }

  /// The sites parallel to attention and MLP, two per transformer block, in order; none in a tower whose blocks do not
  /// all see `tokenGrid`.
  var bypassSites: [BlockSite] { get }

  /// The tokens of all blocks, if these are one square of patches and tokens before it.
  var tokenGrid: TokenGrid? { get }
}

extension ImageTower {
  /// The features, unless a tower says otherwise.
  public func trunk(_ images: Variable, _ pass: Pass) -> Variable { self(images, pass) }

  /// None, unless a tower says otherwise.
  public var projection: Linear? { nil }

  /// The output of the projection, unless a tower says otherwise.
  public func projected(_ trunk: Variable, _ pass: Pass) -> Variable { projection?(trunk, pass) ?? trunk }

  /// None, unless a tower says otherwise.
  public var promptSites: [Site] { [] }

  /// None, unless a tower says otherwise.
  public var parallelSites: [ParallelSite] { [] }

  /// None, unless a tower says otherwise.
  public var inputSites: [BlockSite] { [] }

  /// None, unless a tower says otherwise.
  public var bypassSites: [BlockSite] { [] }

  /// None, unless a tower says otherwise.
  public var tokenGrid: TokenGrid? { nil }

  /// The token before the patches, if there is one: [width].
  public var classToken: Parameter? { parameters.first { $0.site.role == .classToken } }

  /// Traps unless these are images of the right size.
  func checkImages(_ images: Variable) {
    require(
      images.shape.rank == 4 && images.shape.extents.suffix(3) == [3, imageSize, imageSize],
      "\(type(of: self)): expected images [batch, 3, \(imageSize), \(imageSize)], found \(images.shape)")
  }
}
