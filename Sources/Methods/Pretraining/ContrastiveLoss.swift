import Models
import Tensor

/// The contrastive loss: matching the texts of a batch to its images and vice versa (Radford et al. 2021, figure 3).
///
///     ℒ = ½ (crossEntropy(z, 1 … n) + crossEntropy(zᵀ, 1 … n)),   z_ij = s ⟨f_i / ‖f_i‖, t_j / ‖t_j‖⟩
package enum ContrastiveLoss {
  /// The loss, and z.
  ///
  /// - features f, texts t: [batch, embedding], row i of one belonging to row i of the other; z: [batch, batch].
  package static func of(
    _ features: Variable, _ texts: Variable, logitScale: Parameter, _ pass: Pass
  ) -> (loss: Variable, logits: Variable) {
    let byImage = features.contrastiveLogits(classifier: texts, logitScale: logitScale, pass)
    let byText = texts.contrastiveLogits(classifier: features, logitScale: logitScale, pass)
    let own = (0..<Int32(features.shape[0])).map { $0 }
    let loss = Variable(Tensor(0)).adding(byImage.crossEntropy(labels: own), scale: 0.5)
      .adding(byText.crossEntropy(labels: own), scale: 0.5)
    return (loss, byImage)
  }
}
