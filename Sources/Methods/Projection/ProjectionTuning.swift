import Models
import Tensor

/// ProLIP: the projection of the image tower is trained, and held near its start (Fahes et al. 2024, CLIP's Visual
/// Embedding Projector is a Few-shot Cornucopia).
///
///     f = P x,   z_c = s ⟨f / ‖f‖, t_c / ‖t_c‖⟩,   ℒ = ℒ_ce + λ ‖P − P₀‖²,   ‖M‖² = Σ m²
///
/// - These are ProLIP (a) and (b). P: [embedding, width], from P₀, that of the model; the bias of a ResNet's projection
///   stays. ∂/∂P of the penalty: 2 λ (P − P₀).
/// - x is what the projection reads. As nothing before it changes, x is computed once, for as many random crops of each
///   image as the recipe has views, and a step reads one view (ProLIP (c)).
public struct ProjectionTuning: EncoderTuning {
  /// P
  public let trainables: [Trainable]
  /// x of the training images, all of one view after another; `nil` to read images.
  public let trunkExamples: HeadExamples?
  private let weight: Parameter
  private let penalty: Real

  /// A tuning of a tower with a projection; traps on another.
  ///
  /// - penalty: λ, 0 or more.
  public init(_ tower: any ImageTower, penalty: Double, examples: HeadExamples? = nil) {
    guard let projection = tower.projection else {
      trap("ProjectionTuning: expected a tower with a projection, found none")
    }
    (weight, self.penalty, trunkExamples) = (projection.weight, Real(penalty), examples)
    trainables = [Trainable(weight.site.name, weight.value)]
  }

  /// P (ProLIP (a))
  public func tunings(_ values: [Variable]) -> [Site: Tuning] { [weight.site: .replaced(values[0])] }

  /// ℒ, and its terms: cross-entropy and penalty (ProLIP (b)).
  public func objective(logits: Variable, teacher: Variable?, labels: [Int32], values: [Variable]) -> Objective {
    let loss = logits.crossEntropy(labels: labels)
    let entropy = Objective(losses: [loss], terms: [("loss", Double(loss.value.scalar))])
    guard penalty > 0 else { return entropy }
    let count = weight.value.count
    let shift = values[0].adding(Variable(weight.value), scale: -1).reshaped(to: [1, count])
    let distance = shift.scaledChannels(by: Variable(Tensor([count], repeating: penalty))).dot(shift)
    // A head may add a penalty of its own.
    return entropy.adding(distance, as: "projection")
  }
}

/// The settings of a trained projection in a recipe.
public struct ProjectionSettings: MethodSettings {
  /// λ
  public var projectionPenalty: Double

  /// A weight of the penalty.
  public init(projectionPenalty: Double) { self.projectionPenalty = projectionPenalty }

  /// The weight of the penalty.
  public static let keys = ["projectionPenalty"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    projectionPenalty >= 0 ? nil : "projectionPenalty: expected 0 or more, found \(projectionPenalty)"
  }
}
