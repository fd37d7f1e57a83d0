import Datasets
import Formats
import Foundation
import Models
import Tensor

/// A pretrained vision model: a CLIP, or an image classifier without text.
public protocol PretrainedModel: Sendable {
  /// Its image tower.
  var tower: any ImageTower { get }
  /// The preprocessing of its images.
  var preprocessing: Preprocessing { get set }
  /// Warnings for the user: contradictions, a head that is not loaded.
  var warnings: [String] { get }
  /// The whole model, if it has a text encoder.
  var clip: PretrainedCLIP? { get }
  /// Its weight files.
  var weights: PretrainedWeights { get }
  /// The name table of the weight files.
  var layout: WeightLayout { get }
  /// Every frozen tensor that the weight files hold, the tower's first.
  var parameters: [Parameter] { get }
}

extension PretrainedModel {
  /// The image tower, with the text tower where there is one: what a delta may change.
  package var towers: any ImageTower {
    clip.map { TowerPair(image: $0.model.vision, text: $0.model.text) } ?? tower
  }

  /// The preparation of images that a run keeps, as the files of a classifier state it; `nil` for a CLIP.
  var images: ImageSettings? { (self as? PretrainedClassifier)?.images }

  /// The SHA-256 of its weights; hashing them takes seconds the first time (`PretrainedWeights.sha256`).
  public var sha256: String { weights.sha256 }
}

extension PretrainedCLIP: PretrainedModel {
  /// The image tower.
  public var tower: any ImageTower { model.vision }
  /// The whole model.
  public var clip: PretrainedCLIP? { self }
  /// The weight files.
  public var weights: PretrainedWeights { directory.weights }
  /// The name table of the weight files.
  public var layout: WeightLayout { directory.layout }
  /// Every frozen tensor, the image tower's first.
  public var parameters: [Parameter] { model.parameters }
}

/// The normalisation constants of a classifier's images.
public enum Normalization: String, Sendable, CaseIterable, Codable {
  /// Means and deviations of ImageNet, which published runs on VTAB-1k use for every checkpoint; the default where no
  /// file states others.
  case imagenet
  /// 0.5 and 0.5: the constants of Google's ViT checkpoints.
  case inception

  /// Mean and deviation of each channel.
  var constants: (mean: [Double], std: [Double]) {
    switch self {
    case .imagenet: ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    case .inception: ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    }
  }
}
