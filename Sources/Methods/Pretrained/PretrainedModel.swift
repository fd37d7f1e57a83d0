import Datasets
import Formats
import Foundation
import Models
import Tensor

/// A pretrained model that sees: a CLIP, or an image classifier without text.
public protocol PretrainedModel: Sendable {
  /// Its image tower.
  var tower: any ImageTower { get }
  /// How pictures are prepared for it.
  var preprocessing: Preprocessing { get }
  /// What a user should know: contradictions, a head that is left behind.
  var warnings: [String] { get }
  /// The whole model, where it knows text.
  var clip: PretrainedCLIP? { get }
  /// Its weight files, and under which names they store it.
  var weights: PretrainedWeights { get }
  /// Under which names they store it.
  var layout: WeightLayout { get }
  /// Every frozen tensor that the weight files hold, the tower's first.
  var parameters: [Parameter] { get }
}

extension PretrainedModel {
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
  /// Under which names they store it.
  public var layout: WeightLayout { directory.layout }
  /// Every frozen tensor, the image tower's first.
  public var parameters: [Parameter] { model.parameters }
}

/// The constants that pictures are normalised with before a classifier sees them.
public enum Normalisation: String, Sendable, CaseIterable, Codable {
  /// Means and deviations of ImageNet, which published runs on VTAB-1k use for every checkpoint.
  case imagenet
  /// 0.5 and 0.5: what Google's checkpoints of ViT were trained with.
  case inception

  /// Mean and deviation of each channel.
  var constants: (mean: [Double], std: [Double]) {
    switch self {
    case .imagenet: ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    case .inception: ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    }
  }
}
