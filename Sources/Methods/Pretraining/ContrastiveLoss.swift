import Models
import Tensor

/// Of the texts of a batch, which belongs to which picture, and the other way round (Radford et al. 2021, figure 3).
///
///     ℒ = ½ (crossEntropy(z, 1 … n) + crossEntropy(zᵀ, 1 … n)),   z_ij = s ⟨f_i / ‖f_i‖, t_j / ‖t_j‖⟩
public enum ContrastiveLoss {
  /// The loss, and z.
  ///
  /// - features f, texts t: [batch, embedding], row i of one belonging to row i of the other; z: [batch, batch].
  static func of(
    _ features: Variable, _ texts: Variable, logitScale: Parameter, _ pass: Pass
  ) -> (loss: Variable, logits: Variable) {
    let byImage = features.contrastiveLogits(classifier: texts, logitScale: logitScale, pass)
    let byText = texts.contrastiveLogits(classifier: features, logitScale: logitScale, pass)
    let own = (0..<Int32(features.shape[0])).map { $0 }
    let loss = Variable(Tensor(0)).adding(byImage.crossEntropy(labels: own), scale: 0.5)
      .adding(byText.crossEntropy(labels: own), scale: 0.5)
    return (loss, byImage)
  }

  /// Its finite-difference checks, by both kinds of features and by the scale.
  public static var checks: [any Check] {
    [(1, 3), (2, 5), (7, 16)].map { (batch, embedding) -> GradientCheck in
      var numbers = CheckNumbers(seed: UInt64(batch))
      let (features, texts) = (numbers.next([batch, embedding]), numbers.next([batch, embedding]))
      let site = Site("logitScale", .logitScale)
      let inputs = [("features", features), ("texts", texts), ("logitScale", Tensor(1.3))]
      return GradientCheck("contrastive/batch \(batch)", inputs, scope: .network) { values in
        of(
          values[0], values[1], logitScale: Parameter(site, Tensor(1.3)),
          Pass(tunings: [site: .replaced(values[2])])
        ).loss
      }
    }
  }
}
