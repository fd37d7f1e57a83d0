import Tensor

/// A check of a random rule: its mean and variance, against the formula.
///
/// The rule gives every element one of two values, `kept` with probability P and `dropped` otherwise, anew at each
/// step. With their distance M = |kept − dropped|,
///
///     μ = P kept + (1 − P) dropped,   σ² = P (1 − P) M²
///
/// and over n steps the mean of y and the mean of z = (y − μ)² are compared with μ and σ². Both y and z have two
/// values, a distance D apart (M, and |1 − 2 P| M²), so that an error is stated in the unit
///
///     s = D (√(P (1 − P) / n) + 5 / 3n)
///
/// of which the first term is the standard error; with the second, 5 s is Bernstein's inequality: for a right rule, an
/// element exceeds it in fewer than 2 e^(−25/2) = 8 of a million seeds, whatever P is. Seeds are fixed. Uniform
/// random values are multiples of 2⁻²⁴ and results are rounded, which is subtracted from an error first.
package struct ExpectationCheck: Check {
  /// The two values of every element, and the probability of the first.
  package struct Outcomes: Sendable {
    let kept, dropped: Tensor
    let probability: [Double]

    /// `kept` with the probability of each element, else `dropped`: tensors of one shape.
    package init(_ kept: Tensor, orElse dropped: Tensor, probability: [Double]) {
      require(
        kept.shape == dropped.shape && kept.count == probability.count,
        "ExpectationCheck: expected outcomes of one shape, found \(kept.shape), \(dropped.shape), \(probability.count)")
      (self.kept, self.dropped, self.probability) = (kept, dropped, probability)
    }
  }

  /// The name of the check: `subject`, or `subject/variant`.
  package let name: String
  private let outcomes: Outcomes
  private let steps: Int
  private let draw: @Sendable (_ step: Int) -> Tensor

  /// A check of `draw` over the first `steps` steps.
  package init(
    _ name: String, _ outcomes: Outcomes, steps: Int = 4096, draw: @escaping @Sendable (_ step: Int) -> Tensor
  ) {
    (self.name, self.outcomes, self.steps, self.draw) = (name, outcomes, steps, draw)
  }

  /// Five units, nearly standard errors.
  package var tolerance: Double { 5 }

  /// Samples, and compares mean and variance: one finding each.
  package func findings() -> [Finding] {
    let shape = outcomes.kept.shape
    let elements = zip(zip(outcomes.kept.values, outcomes.dropped.values), outcomes.probability).map {
      Element(kept: Double($0.0), dropped: Double($0.1), probability: $1)
    }
    var sums = [Double](repeating: 0, count: shape.count)
    var squares = sums
    for step in 0..<steps {
      let drawn = draw(step)
      require(drawn.shape == shape, "\(name): expected a draw of shape \(shape), found \(drawn.shape)")
      for (index, value) in drawn.values.enumerated() {
        sums[index] += Double(value)
        let distance = Double(value) - elements[index].mean
        squares[index] += distance * distance
      }
    }
    return [
      finding("mean", shape, elements.indices.map { elements[$0].meanError(sums[$0] / Double(steps), steps) }),
      finding(
        "variance", shape, elements.indices.map { elements[$0].varianceError(squares[$0] / Double(steps), steps) }),
    ]
  }

  /// The largest of the errors of all elements.
  private func finding(_ input: String, _ shape: Shape, _ errors: [(absolute: Double, units: Double)]) -> Finding {
    let worst = errors.indices.max { errors[$0].units < errors[$1].units } ?? 0
    let error = errors.isEmpty ? (absolute: 0, units: 0) : errors[worst]
    return Finding(
      input: input, shape: shape, relativeError: error.units, absoluteError: error.absolute, index: worst)
  }

  /// One element of the outcomes.
  private struct Element {
    let kept, dropped, probability: Double

    /// M
    var distance: Double { abs(kept - dropped) }
    /// μ
    var mean: Double { probability * kept + (1 - probability) * dropped }
    /// The rounding error of values no larger than `size` after a few roundings, and of their mean.
    private func rounding(_ size: Double, _ steps: Int) -> Double {
      (8 * Double(Real.ulpOfOne) + Double(steps) * 0x1p-53) * size
    }

    func meanError(_ found: Double, _ steps: Int) -> (absolute: Double, units: Double) {
      error(abs(found - mean), distance: distance, rounding: rounding(max(abs(kept), abs(dropped)), steps), steps)
    }

    func varianceError(_ found: Double, _ steps: Int) -> (absolute: Double, units: Double) {
      let variance = probability * (1 - probability) * distance * distance
      return error(
        abs(found - variance), distance: abs(1 - 2 * probability) * distance * distance,
        rounding: 2 * rounding(max(abs(kept), abs(dropped)), steps) * distance, steps)
    }

    /// The part of an error due to chance, in units of s.
    private func error(
      _ absolute: Double, distance: Double, rounding: Double, _ steps: Int
    ) -> (absolute: Double, units: Double) {
      let n = Double(steps)
      let unit = distance * ((probability * (1 - probability) / n).squareRoot() + 5 / (3 * n))
      let excess = absolute - rounding - distance * 0x1p-24
      guard !absolute.isNaN else { return (.infinity, .infinity) }
      return (absolute, excess <= 0 ? 0 : excess / unit)
    }
  }
}
