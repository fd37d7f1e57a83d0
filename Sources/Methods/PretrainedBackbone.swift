import Datasets
import Foundation
import Models
import Tensor

/// An image classifier from a weight file, with all that is needed to show it pictures.
public struct PretrainedBackbone: PretrainedVision {
  /// Configuration and weights.
  public let backbone: ImageBackbone
  public let preprocessing: Preprocessing
  public let sha256: String
  public let weights: SafeTensorsCheckpoint

  public var tower: any ImageTower { backbone.tower }
  public var warnings: [String] { backbone.warnings }
  public var clip: PretrainedModel? { nil }
  public var layout: WeightLayout { backbone.layout }
  public var parameters: [Parameter] { backbone.parameters }

  /// Reads a classifier; pictures are brought to its size whatever their own proportions (VTAB; SPT, spec section 4).
  ///
  /// - classes: how many are to be told apart: a head of another number is left behind, and `warnings` says so.
  /// - Throws: an error that names the file and what is wrong with it.
  public init(
    contentsOf url: URL, hints: BackboneHints = BackboneHints(), classes: Int? = nil, _ normalisation: Normalisation
  ) throws {
    weights = try SafeTensorsCheckpoint(contentsOf: url)
    backbone = try ImageBackbone(from: weights, hints: hints, classes: classes)
    let (size, constants) = (backbone.tower.imageSize, normalisation.constants)
    preprocessing = try Preprocessing(
      geometry: .direct(height: size, width: size), mean: constants.mean, std: constants.std)
    let digests = weights.files.map(\.sha256.description)
    sha256 =
      digests.count == 1 ? digests[0] : SHA256.digest(of: Array(digests.joined(separator: "\n").utf8)).description
  }
}
