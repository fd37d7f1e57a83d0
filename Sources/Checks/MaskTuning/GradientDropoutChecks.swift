import Methods
import Tensor

// Gradient dropout is not a derivative: it is checked against its closed form, over all masks of a method at once.

extension MaskTuningChecks {
  /// The rule between the two gradients, at several strengths: its extremes exactly, and everything between on average.
  static func gradientDropout(_ name: MethodName, _ tuning: MaskTuning) -> [any Check] {
    guard tuning.dropout != nil else { return [] }
    return [0, 0.3, 1].flatMap { (lambda: Real) -> [any Check] in
      let rule = RuleCheck(tuning, lambda: lambda)
      let title = "\(name)/gradient dropout, λ = \(lambda)"
      return [
        rule.corner("\(title): agreeing signs keep the gradient", b: { $0 }, share: 1),
        rule.corner("\(title): a large opposing gradient leaves 1 − λ", b: { -1e12 * $0 }, share: 1 - lambda),
        lambda == 0
          ? IdentityCheck("\(title): the gradient") {
            [.init("masks", rule.step(rule.a, rule.b, 1), equals: rule.all(1))]
          }
          : rule.expectation("\(title): E g = ((1 − λ) + λ P) a"),
      ]
    }
  }
}

extension MaskTuningChecks {
  /// The rule at a size that threads share: `gradient dropout/[70001]/output`.
  ///
  /// - seed: of what it draws.
  static func gradientDropoutTrace(seed: UInt64) -> Trace {
    Trace("gradient dropout/[70001]") {
      var numbers = CheckNumbers(seed: 5)
      let (a, b) = (numbers.next([70_001]), numbers.next([70_001]))
      let random = Random(seed: seed, purpose: .gradientDropout, step: 1)
      return [("output", GradientDropout(lambda: 0.3).combined(a, b, random: random, from: 0))]
    }
  }
}

/// The rule of a method at one strength, with the gradients of all its masks laid end to end.
private struct RuleCheck: Sendable {
  let tuning: MaskTuning
  let lambda: Real
  /// ∂(L_ce + L_reg)/∂M and ∂L_kl/∂M: ordinary values, values as small as ε, and zeros.
  let a, b: [Tensor]

  init(_ tuning: MaskTuning, lambda: Real) {
    self.tuning = MaskTuning(groups: tuning.groups, dropout: GradientDropout(lambda: lambda), tuned: tuning.tuned)
    self.lambda = lambda
    var numbers = CheckNumbers(seed: 23)
    func gradients() -> [Tensor] {
      tuning.parameters.map { parameter in
        var gradient = numbers.next(parameter.value.shape)
        let count = gradient.count
        gradient.write { values in
          for index in 0..<count {
            if index % 5 == 0 { values[index] *= 1e-8 }
            if (index + count) % 17 == 0 { values[index] = 0 }
          }
        }
        return gradient
      }
    }
    (a, b) = (gradients(), gradients())
  }

  /// The combined gradient of a step.
  func step(_ a: [Tensor], _ b: [Tensor], _ step: Int) -> Tensor {
    joined(tuning.combined([a, b], seed: 20, step: step))
  }

  /// The tuned part of `share` a.
  func all(_ share: Real) -> Tensor { joined(tuned(a.map { $0.scaled(by: share) })) }

  /// g = share a at every step, where a is large enough compared with ε for P to be 1 or 0.
  func corner(_ name: String, b: @escaping @Sendable (Real) -> Real, share: Real) -> any Check {
    let large = a.map { a in Tensor(a.shape, a.values.map { $0 == 0 ? 0 : $0 + ($0 < 0 ? -1 : 1) }) }
    let opponent = large.map { a in Tensor(a.shape, a.values.map(b)) }
    // Kept, a is multiplied by (1 − λ) + λ, whose sum may be one unit off 1.
    let factor = share == 1 ? (1 - lambda) + lambda : share
    let expected = joined(tuned(large.map { $0.scaled(by: factor) }))
    return IdentityCheck(name) {
      (0..<3).map { .init("masks at step \($0)", step(large, opponent, $0), equals: expected) }
    }
  }

  /// Mean and variance of g, by P in double precision (R-AMT eq. 7).
  func expectation(_ name: String) -> any Check {
    let probability = zip(joined(a).values, joined(b).values).map { a, b in
      let (a, b) = (Double(a), Double(b))
      let sign: Double = a > 0 ? 1 : a < 0 ? -1 : 0
      return 0.5 * (1 + sign * (a + b) / (abs(a) + abs(b) + 1e-8))
    }
    return ExpectationCheck(name, .init(all(1), orElse: all(1 - lambda), probability: probability)) {
      step(a, b, $0)
    }
  }

  /// Zeros where the method tunes nothing.
  private func tuned(_ gradients: [Tensor]) -> [Tensor] {
    guard let tuned = tuning.tuned else { return gradients }
    return zip(gradients, tuned).map { MethodChecks.product($0, $1.real.reshaped(to: $0.shape)) }
  }

  private func joined(_ tensors: [Tensor]) -> Tensor {
    let values = tensors.flatMap(\.values)
    return Tensor([values.count], values)
  }
}
