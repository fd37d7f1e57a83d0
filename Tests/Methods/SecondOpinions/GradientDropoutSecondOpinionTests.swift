import FrugalTestSupport
import Reference
import Tensor
import Testing

@testable import Methods

/// The rule of R-AMT in double precision, entry by entry.
///
/// R-AMT eq. 7.
@Suite struct GradientDropoutSecondOpinionTests {
  /// P with the error of doing it in `Real`: a quotient of at most 1 with five roundings, and one of its sum with 1.
  private static func probability(_ a: Double, _ b: Double) -> Bounded { Bounded(keepProbability(a, b), error: 3.5) }

  @Test(arguments: Trial.all(["gradient dropout"], count: 24))
  private func keptIsWhatItsProbabilityExceeds(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let count = numbers.pick([1, 7, 16, 17, 257, 4096, 5003, 40_001])
    let scale: Real = numbers.pick([1, 1, 1e-8, 30])
    let (a, b) = (numbers.anything([count]).scaled(by: scale), numbers.anything([count]).scaled(by: scale))
    let lambda: Real = numbers.pick([0, 0.3, 0.5, 1])
    let random = Random(
      seed: numbers.next(), purpose: .gradientDropout, step: Int.random(in: 0..<1000, using: &numbers))
    let first = UInt64.random(in: 0..<(1 << 40), using: &numbers)
    let found = GradientDropout(lambda: lambda).combined(a, b, random: random, from: first).values
    let (left, right) = (Matrix(a), Matrix(b))
    let uniform = (0..<UInt64(count)).map { Double(random.uniform(at: first + $0)) }
    func outcome(_ uniform: [Double]) -> [Double] {
      gradientDropout(left, right, uniform: uniform, lambda: Double(lambda)).values
    }
    // No P exceeds 2, and every P exceeds -1.
    let (wanted, reduced, whole) = (
      outcome(uniform), outcome([Double](repeating: 2, count: count)), outcome([Double](repeating: -1, count: count))
    )
    var (kept, dropped) = (0, 0)
    for index in 0..<count {
      let (p, u) = (Self.probability(left.values[index], right.values[index]), uniform[index])
      // Where P is nearer to U than its rounding, either outcome is right.
      let isSure = abs(p.value - u) > p.tolerance
      let outcomes = isSure ? [wanted[index]] : [whole[index], reduced[index]]
      let isRight = outcomes.contains { outcome in
        // 1 - λ, the sum with λ, and the product are rounded.
        abs(Double(found[index]) - outcome) <= Bounded(outcome, error: 3 * abs(left.values[index])).tolerance
      }
      guard isRight else {
        let name = "\(trial.testDescription), λ = \(lambda): entry \(index) of \(count)"
        let inputs = "a \(a.values[index]), b \(b.values[index]), U \(u), P \(p.value)"
        Issue.record("\(name): \(inputs): found \(found[index])")
        return
      }
      if isSure { if p.value > u { kept += 1 } else { dropped += 1 } }
    }
    #expect(count < 257 || (kept > 0 && dropped > 0), "\(trial.testDescription)")
  }
}
