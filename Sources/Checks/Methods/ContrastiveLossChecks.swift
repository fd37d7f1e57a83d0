import Methods
import Models
import Tensor

extension ContrastiveLoss {
  /// The finite-difference checks, by both kinds of features and by the scale.
  package static var checks: [any Check] {
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
