import Tensor

/// Adam (Kingma and Ba 2015), with weight decay in the gradient or, as AdamW (Loshchilov and Hutter 2019), decoupled.
///
/// At step t = 1, 2, …, with gradient g, learning rate η and weight decay w:
///
///     coupled:    g ← g + w θ             decoupled:  θ ← θ (1 − η w)
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
///     θ ← θ − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
///
/// The factors are formed in double precision and rounded once (R-AMT (g), SPT (l), TaskRes (e)).
public struct Adam: Optimizer {
  /// The kind of weight decay.
  public enum Decay: String, Sendable, Hashable, CaseIterable {
    /// Added to the gradient, and so scaled by the moments: Adam.
    case coupled
    /// Subtracted from the parameter directly: AdamW.
    case decoupled
  }

  /// The optimised parameters.
  public let slots: [ParameterSlot]
  /// β₁, the decay rate of the first moment.
  public let beta1: Double
  /// β₂, the decay rate of the second moment.
  public let beta2: Double
  /// ε, added to the root of the second moment.
  public let epsilon: Double
  /// w.
  public let weightDecay: Double
  /// The kind of weight decay.
  public let decay: Decay
  /// The number of steps taken.
  public private(set) var stepCount = 0
  /// m
  private var first: OptimizerMemory
  /// v
  private var second: OptimizerMemory

  /// An optimiser before its first step; traps on factors out of range.
  public init(
    _ slots: [ParameterSlot], weightDecay: Double = 0, decay: Decay = .coupled, beta1: Double = 0.9,
    beta2: Double = 0.999, epsilon: Double = 1e-8
  ) {
    require(
      0..<1 ~= beta1 && 0..<1 ~= beta2 && epsilon >= 0 && weightDecay >= 0,
      "Adam: expected betas in 0 ..< 1, epsilon and decay of 0 or more, found \(beta1), \(beta2), \(epsilon), "
        + "\(weightDecay)"
    )
    self.slots = slots
    (self.beta1, self.beta2, self.epsilon) = (beta1, beta2, epsilon)
    (self.weightDecay, self.decay) = (weightDecay, decay)
    (first, second) = (OptimizerMemory("first-moment", slots), OptimizerMemory("second-moment", slots))
  }

  /// m and v of every parameter: `NAME.first-moment`, `NAME.second-moment`.
  public var state: [String: Tensor] { [first, second].state(slots) }

  /// Continues from the state of another optimiser.
  ///
  /// - Throws: `OptimizerError` for a state that is not of these parameters.
  public mutating func restore(_ state: [String: Tensor], stepCount: Int) throws(OptimizerError) {
    let restored = try [first, second].restored(state, slots, stepCount: stepCount)
    (first, second) = (restored[0], restored[1])
    self.stepCount = stepCount
  }

  /// One step for all parameters, with the formula above.
  public mutating func step(parameters: inout [Tensor], gradients: [Tensor], learningRate: Double) {
    check(parameters, gradients)
    stepCount += 1
    let (correction1, correction2) = (1 - power(beta1, stepCount), 1 - power(beta2, stepCount))
    var factors = Factors(
      keep1: Real(beta1), take1: Real(1 - beta1), keep2: Real(beta2), take2: Real(1 - beta2),
      rate: Real(learningRate / correction1), root: Real(1 / correction2.squareRoot()), epsilon: Real(epsilon))
    for (index, slot) in slots.enumerated() {
      let decays = slot.isDecayed && weightDecay > 0
      factors.coupled = decays && decay == .coupled ? Real(weightDecay) : 0
      factors.shrink = decays && decay == .decoupled ? Real(1 - learningRate * weightDecay) : 1
      first.tensors[index].write { m in
        second.tensors[index].write { v in
          parameters[index].write { theta in
            Tensor.read(gradients[index]) { g in factors.update(theta, g, m, v, count: slot.shape.count) }
          }
        }
      }
    }
  }

  /// The factors, rounded to `Real`.
  private struct Factors {
    let keep1, take1, keep2, take2, rate, root, epsilon: Real
    var coupled: Real = 0
    var shrink: Real = 1

    /// One pass over four streams. Products are rounded before they are added, so that the bits are those of every
    /// machine.
    func update(
      _ theta: UnsafeMutablePointer<Real>, _ g: UnsafePointer<Real>, _ m: UnsafeMutablePointer<Real>,
      _ v: UnsafeMutablePointer<Real>, count: Int
    ) {
      Parallel.forEachRange(count, grain: updateGrain) { range in
        for index in range {
          let gradient = g[index] + coupled * theta[index]
          let first = keep1 * m[index] + take1 * gradient
          let second = keep2 * v[index] + take2 * (gradient * gradient)
          (m[index], v[index]) = (first, second)
          theta[index] = theta[index] * shrink - rate * (first / (second.squareRoot() * root + epsilon))
        }
      }
    }
  }
}

/// xⁿ by repeated multiplication of squares: the same bits whatever mathematics library is installed.
func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
