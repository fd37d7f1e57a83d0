import Models
import Tensor

/// The supervised contrastive loss (Khosla et al. 2020, eq. 2): views of one class attract each other, those of others
/// repel (GPS (b)).
///
///     ℒ = −1/n Σ_i 1/|P_i| Σ_{p ∈ P_i} (s_ip − log Σ_{a ≠ i} exp s_ia),   s_ij = ⟨z_i, z_j⟩ / τ,   z = f / ‖f‖
///
/// with P_i the other views of the class of i.
package enum SupervisedContrastiveLoss {
  /// τ
  package static let temperature: Real = 0.07

  /// The loss of all views of a batch; a view without another one of its class adds 0.
  ///
  /// - features f: [views, width]; labels: [views].
  package static func of(_ features: Variable, labels: [Int32]) -> Variable {
    let count = labels.count
    require(
      features.shape.rank == 2 && features.shape[0] == count,
      "supervised contrastive loss: expected features and labels of \(count) views, found \(features.shape)")
    let unit = features.l2Normalized()
    let scale = Variable(Tensor([count], repeating: 1 / temperature))
    // No view is compared with itself: exp(−1e30) is 0.
    var own = [Real](repeating: 0, count: count * count)
    for index in 0..<count { own[index * count + index] = -1e30 }
    let similarities = unit.linear(unit).scaledChannels(by: scale).adding(Variable(Tensor([count, count], own)))
    return similarities.logSoftmax().dot(Variable(weights(labels)))
  }

  /// −1 / (n |P_i|) for the pairs i, p.
  private static func weights(_ labels: [Int32]) -> Tensor {
    let count = labels.count
    let sizes = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    return Tensor(
      [count, count],
      labels.indices.flatMap { row in
        let others = (sizes[labels[row]] ?? 1) - 1
        return labels.indices.map { column -> Real in
          row == column || labels[row] != labels[column] ? 0 : -1 / Real(count * others)
        }
      })
  }
}
