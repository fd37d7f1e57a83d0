import Datasets
import Formats
import Foundation
import Models
import Tensor

/// An image classifier from a weight file, with all that is needed to show it pictures.
public struct PretrainedClassifier: PretrainedModel {
  /// Configuration and weights.
  public let backbone: ImageBackbone
  /// How pictures are prepared for it.
  public let preprocessing: Preprocessing
  /// Its weight files.
  public let weights: PretrainedWeights
  /// What the caller said that the files do not.
  public let hints: BackboneHints

  /// Its image tower.
  public var tower: any ImageTower { backbone.tower }
  /// What a user should know: contradictions, a head that is left behind.
  public var warnings: [String] { backbone.warnings }
  /// None: it knows no text.
  public var clip: PretrainedCLIP? { nil }
  /// Under which names the files store it.
  public var layout: WeightLayout { backbone.layout }
  /// Every frozen tensor, the tower's first.
  public var parameters: [Parameter] { backbone.parameters }

  /// Reads a classifier; pictures are brought to its size whatever their own proportions (VTAB).
  ///
  /// - classes: how many are to be told apart: a head of another number is left behind, and `warnings` says so.
  /// - Throws: an error that names the file and what is wrong with it.
  public init(
    contentsOf url: URL, hints: BackboneHints = BackboneHints(), classes: Int? = nil, _ normalisation: Normalisation
  ) throws {
    self.hints = hints
    let stated = try BackboneHints(beside: url)
    weights = try PretrainedWeights(contentsOf: url)
    backbone = try ImageBackbone(from: weights, hints: hints.filled(from: stated), classes: classes)
    let (size, constants) = (backbone.tower.imageSize, normalisation.constants)
    preprocessing = try Preprocessing(
      geometry: .direct(height: size, width: size), mean: constants.mean, std: constants.std)
  }
}
