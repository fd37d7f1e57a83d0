import Foundation

/// The supervised contrastive loss of features of views (GPS (b)).
///
///     ℒ = −1/n Σ_i 1/|P_i| Σ_{p ∈ P_i} (s_ip − log Σ_{a ≠ i} exp s_ia),   s_ij = ⟨f_i / ‖f_i‖, f_j / ‖f_j‖⟩ / τ
///
/// with P_i the other views of the class of i; a view without one adds 0.
///
/// - features: views × width.
public func supervisedContrastiveLoss(_ features: Matrix, labels: [Int], temperature: Double = 0.07) -> Double {
  let count = features.rows
  func product(_ i: Int, _ j: Int) -> Double {
    (0..<features.columns).reduce(0) { $0 + features[i, $1] * features[j, $1] }
  }
  func similarity(_ i: Int, _ j: Int) -> Double {
    product(i, j) / (product(i, i) * product(j, j)).squareRoot() / temperature
  }
  var loss = 0.0
  for i in 0..<count {
    let others = (0..<count).filter { $0 != i }
    let positives = others.filter { labels[$0] == labels[i] }
    guard !positives.isEmpty else { continue }
    let largest = others.map { similarity(i, $0) }.max() ?? 0
    let sum = others.reduce(0) { $0 + exp(similarity(i, $1) - largest) }
    let own = positives.reduce(0) { $0 + similarity(i, $1) - largest - log(sum) }
    loss -= own / Double(positives.count) / Double(count)
  }
  return loss
}

/// The columns of the largest magnitudes in each row, ascending; of equal ones the first (GPS (c)).
public func largestInputs(_ sums: Matrix, count: Int) -> [[Int]] {
  (0..<sums.rows).map { row in
    let columns = (0..<sums.columns).sorted { (-abs(sums[row, $0]), $0) < (-abs(sums[row, $1]), $1) }
    return columns.prefix(count).sorted()
  }
}
