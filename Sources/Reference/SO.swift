import Foundation

/// The moments that a sparse optimiser keeps of a few entries of a matrix.
public struct EntryMoments: Sendable {
  /// m and v by the index of the entry.
  public var entries: [Int: (first: Double, second: Double)] = [:]
  /// The number of steps taken.
  public var steps = 0

  /// No step was taken.
  public init() {}
}

/// One step of the sparse optimiser for one matrix (SO (c) to (e)).
///
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,   g = 0 of entries that are not drawn, 0 of none
///     θ ← θ − η m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε)
///
/// for all entries that are drawn or have moments; as many moments are kept as entries are drawn, those with the
/// largest |m|, of equal ones the first.
public func sparseAdamStep(
  _ parameter: inout Matrix, gradient: Matrix, drawn: [Int], moments: inout EntryMoments, learningRate: Double,
  weightDecay: Double = 0, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8
) {
  moments.steps += 1
  let correction1 = 1 - pow(beta1, Double(moments.steps))
  let correction2 = 1 - pow(beta2, Double(moments.steps))
  for index in Set(drawn).union(moments.entries.keys) {
    var (m, v) = moments.entries[index] ?? (0, 0)
    (m, v) = (beta1 * m, beta2 * v)
    if drawn.contains(index) {
      let g = gradient.values[index] + weightDecay * parameter.values[index]
      (m, v) = (m + (1 - beta1) * g, v + (1 - beta2) * g * g)
    }
    moments.entries[index] = (m, v)
    parameter.values[index] -= learningRate * m / correction1 / ((v / correction2).squareRoot() + epsilon)
  }
  let kept = moments.entries.sorted { (-abs($0.value.first), $0.key) < (-abs($1.value.first), $1.key) }
  moments.entries = Dictionary(uniqueKeysWithValues: kept.prefix(drawn.count).map { ($0.key, $0.value) })
}
