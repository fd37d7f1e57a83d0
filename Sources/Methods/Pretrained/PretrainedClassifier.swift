import Datasets
import Formats
import Foundation
import Models
import Tensor

/// An image classifier from a weight file, with everything needed to apply it to images.
public struct PretrainedClassifier: PretrainedModel {
  /// Configuration and weights.
  public let backbone: ImageBackbone
  /// The preprocessing of its images.
  public var preprocessing: Preprocessing
  /// The preparation of its images that a run keeps; `nil` if nothing but the defaults or the caller states one.
  public let images: ImageSettings?
  /// The settings that its numbers depend on, each with where it came from.
  public let origins: SettingOrigins
  /// Its weight files.
  public let weights: PretrainedWeights
  /// Settings stated by the caller that the files do not state.
  public let hints: BackboneHints
  /// Warnings for the user: contradictions, unknown keys, a head that is not loaded, settings that are assumed.
  public let warnings: [String]

  /// Its image tower.
  public var tower: any ImageTower { backbone.tower }
  /// None: it has no text encoder.
  public var clip: PretrainedCLIP? { nil }
  /// The name table of its files.
  public var layout: WeightLayout { backbone.layout }
  /// Every frozen tensor, the tower's first.
  public var parameters: [Parameter] { backbone.parameters }

  /// Reads a classifier; images are brought to its size whatever their own proportions (VTAB) unless the request says
  /// otherwise.
  ///
  /// - classes: the number of classes: a head with another number is not loaded, and `warnings` says so.
  /// - Throws: an error that names the file and what is wrong with it.
  public init(
    contentsOf url: URL, hints: BackboneHints = BackboneHints(), classes: Int? = nil,
    _ request: ImageRequest = ImageRequest()
  ) throws {
    self.hints = hints
    let stated = try StatedBackbone(nextTo: url)
    let images = try StatedImages(nextTo: url, stated)
    weights = try PretrainedWeights(contentsOf: url)
    backbone = try ImageBackbone(
      from: weights, hints: hints.filled(from: try images.sizing(stated)), classes: classes, notes: stated.warnings)
    let size = backbone.tower.imageSize
    let found = try images.settings(size: size, request)
    preprocessing = try found.settings.preprocessing(size: size)
    let isKept = images.file != nil || request.known != nil || request.resizing == .checkpoint
    self.images = isKept ? found.settings : nil
    var origins = backbone.origins
    origins.add(preprocessing) { found.origins[$0] }
    self.origins = origins
    warnings = weights.notes + origins.warnings + backbone.warnings + found.warnings
  }
}

extension StatedImages {
  /// The hints of a configuration with the image size of the processor, which is the one that images get.
  ///
  /// - Throws: `ConfigurationError` where the model takes images of its own size only, and the processor makes others.
  fileprivate func sizing(_ stated: StatedBackbone) throws(ConfigurationError) -> BackboneHints {
    var hints = stated.hints
    guard let size, !stated.isTimm else { return hints }
    if let own = hints.imageSize, own != size, !stated.takesAnySize {
      throw ConfigurationError(
        "\(name(of: .resize)): expected images of the model's size \(own) "
          + "(\(hints.origin(.imageSize) ?? .caller)), found \(size)")
    }
    if hints.imageSize == nil || stated.takesAnySize {
      hints.imageSize = size
      hints.origins[.imageSize] = origins[.resize]
    }
    return hints
  }
}
