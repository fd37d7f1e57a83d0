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
  public let preprocessing: Preprocessing
  /// Its weight files.
  public let weights: PretrainedWeights
  /// Settings stated by the caller that the files do not state.
  public let hints: BackboneHints

  /// Its image tower.
  public var tower: any ImageTower { backbone.tower }
  /// Warnings for the user: contradictions, a head that is not loaded.
  public var warnings: [String] { backbone.warnings }
  /// None: it has no text encoder.
  public var clip: PretrainedCLIP? { nil }
  /// The name table of its files.
  public var layout: WeightLayout { backbone.layout }
  /// Every frozen tensor, the tower's first.
  public var parameters: [Parameter] { backbone.parameters }

  /// Reads a classifier; pictures are brought to its size whatever their own proportions (VTAB).
  ///
  /// - classes: the number of classes: a head with another number is not loaded, and `warnings` says so.
  /// - Throws: an error that names the file and what is wrong with it.
  public init(
    contentsOf url: URL, hints: BackboneHints = BackboneHints(), classes: Int? = nil, _ normalization: Normalization
  ) throws {
    self.hints = hints
    let stated = try BackboneHints(nextTo: url)
    weights = try PretrainedWeights(contentsOf: url)
    backbone = try ImageBackbone(from: weights, hints: hints.filled(from: stated), classes: classes)
    let (size, constants) = (backbone.tower.imageSize, normalization.constants)
    preprocessing = try Preprocessing(
      geometry: .direct(height: size, width: size), mean: constants.mean, std: constants.std)
  }
}
