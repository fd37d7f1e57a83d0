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

/// Adds the gradients of one batch to their sums, with their signs (GPS (a)). Returns the loss.
///
///     s ← s + ∂ℒ_b/∂W
///
/// Nothing is updated between batches. Here ℒ is the cross-entropy; the features' own loss is above.
///
/// - sums s: one matrix per weight, by its name, zeros at first.
@discardableResult
public func addGradients(to sums: inout Parameters, _ tower: Network, images: Images, labels: [Int]) -> Double {
  let (loss, gradients) = classifierGradients(tower, images: images, labels: labels)
  for (name, sum) in sums { sums[name] = sum + gradients.required(name) }
  return loss
}

/// The columns of the largest magnitudes in each row, ascending; of equal ones the first (GPS (c)).
public func largestInputs(_ sums: Matrix, count: Int) -> [[Int]] {
  (0..<sums.rows).map { row in
    let columns = (0..<sums.columns).sorted { (-abs(sums[row, $0]), $0) < (-abs(sums[row, $1]), $1) }
    return columns.prefix(count).sorted()
  }
}

/// One step of Adam on the chosen inputs of every row, on all biases of maps and on the head (GPS (d), (e)).
///
/// Gradients of all other entries are 0 from the first step on, so that their moments stay 0 and they never move.
///
/// - chosen: columns for each row of a weight, by the weight's name; moments: by name, made where they are missing.
public func adamStepOfChosen(
  _ weights: inout Parameters, gradients: Parameters, chosen: [String: [[Int]]], moments: inout [String: Moments],
  learningRate: Double
) {
  for (name, gradient) in gradients {
    var gradient = gradient
    if let columns = chosen[name] {
      for row in 0..<gradient.rows {
        for column in 0..<gradient.columns where !columns[row].contains(column) { gradient[row, column] = 0 }
      }
    } else if !name.hasSuffix(".bias"), !name.hasPrefix("head.") {
      continue
    }
    var (weight, own) = (weights.required(name), moments[name] ?? Moments(like: gradient))
    adamStep(&weight, gradient: gradient, moments: &own, learningRate: learningRate)
    (weights[name], moments[name]) = (weight, own)
  }
}

/// The learning rate of an epoch, of 110 in all (GPS (f)).
///
///     η(t) = 1e-7 + t (η − 1e-7)/10                            for t < 10
///     η(t) = 1e-8 + ½ (η − 1e-8) (1 + cos(π t/100))            for t < 100, and 1e-8 after that
public func learningRate(ofGPS epoch: Int, base: Double) -> Double {
  if epoch < 10 { return 1e-7 + Double(epoch) * (base - 1e-7) / 10 }
  return epoch < 100 ? 1e-8 + 0.5 * (base - 1e-8) * (1 + cos(Double.pi * Double(epoch) / 100)) : 1e-8
}
