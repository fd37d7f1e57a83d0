import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// The rule of R-AMT in double precision, entry by entry.
@Suite struct GradientDropoutSecondOpinionTests {
  /// P = ½ (1 + sgn(a) (a + b) / (|a| + |b| + ε)) with the error of doing it in `Real`.
  private static func probability(_ a: Bounded, _ b: Bounded) -> Bounded {
    let sum = a + b
    let signed = a.value > 0 ? sum : a.value < 0 ? -sum : Bounded(0 as Real)
    let size = Bounded(abs(a.value)) + Bounded(abs(b.value)) + .constant(1e-8)
    return Bounded(0.5 as Real) * (Bounded(1 as Real) + signed / size)
  }

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
    let (left, right) = (PlainTensor(a), PlainTensor(b))
    let (one, strength) = (Bounded(1 as Real), Bounded(lambda))
    var (kept, dropped) = (0, 0)
    for index in 0..<count {
      let p = Self.probability(left[index], right[index])
      let u = Double(random.uniform(at: first + UInt64(index)))
      // Where P is nearer to U than its rounding, either outcome is right.
      let isSure = abs(p.value - u) > p.tolerance
      let outcomes = [
        (p.value > u || !isSure, left[index] * (one - strength + strength)),
        (p.value <= u || !isSure, left[index] * (one - strength)),
      ]
      let isRight = outcomes.contains { $0 && abs(Double(found[index]) - $1.value) <= $1.tolerance }
      guard isRight else {
        Issue.record(
          "\(trial.testDescription), λ = \(lambda): entry \(index) of \(count): a \(a.values[index]), "
            + "b \(b.values[index]), U \(u), P \(p.value): found \(found[index])"
        )
        return
      }
      if isSure { if p.value > u { kept += 1 } else { dropped += 1 } }
    }
    #expect(count < 257 || (kept > 0 && dropped > 0), "\(trial.testDescription)")
  }
}
