import Foundation

/// The memory of Adam for one tensor.
public struct Moments: Sendable, Equatable {
  /// m, the mean of recent gradients, and v, that of their squares.
  public var first, second: Matrix
  /// t, the number of steps taken.
  public var steps = 0

  /// Zeros for a tensor of the given shape.
  public init(like tensor: Matrix) {
    (first, second) = (Matrix(tensor.rows, tensor.columns), Matrix(tensor.rows, tensor.columns))
  }
}

/// The kind of weight decay.
public enum WeightDecay: Sendable {
  /// Added to the gradient: Adam.
  case coupled
  /// Subtracted from the parameter itself: AdamW.
  case decoupled
}

/// One step of Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) for one tensor (R-AMT (g), TaskRes (e),
/// SPT (l), 2SFS (f)).
///
/// At step t = 1, 2, … with gradient g, learning rate η and weight decay w:
///
///     coupled:  g ← g + w θ          decoupled:  θ ← θ (1 − η w)
///     m ← β₁ m + (1 − β₁) g,         v ← β₂ v + (1 − β₂) g²
///     m̂ = m / (1 − β₁ᵗ),             v̂ = v / (1 − β₂ᵗ)
///     θ ← θ − η m̂ / (√v̂ + ε)
///
/// - parameter θ, gradient g: one shape; β₁ = 0.9, β₂ = 0.999 and ε = 1e-8 in all three papers' code.
public func adamStep(
  _ parameter: inout Matrix, gradient: Matrix, moments: inout Moments, learningRate: Double, weightDecay: Double = 0,
  decay: WeightDecay = .coupled, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8
) {
  require(gradient.count == parameter.count, "adamStep: expected \(parameter.count) gradients, found \(gradient.count)")
  moments.steps += 1
  let correction1 = 1 - pow(beta1, Double(moments.steps))
  let correction2 = 1 - pow(beta2, Double(moments.steps))
  for k in parameter.values.indices {
    var g = gradient.values[k]
    switch decay {
    case .coupled: g += weightDecay * parameter.values[k]
    case .decoupled: parameter.values[k] *= 1 - learningRate * weightDecay
    }
    let m = beta1 * moments.first.values[k] + (1 - beta1) * g
    let v = beta2 * moments.second.values[k] + (1 - beta2) * g * g
    (moments.first.values[k], moments.second.values[k]) = (m, v)
    parameter.values[k] -= learningRate * (m / correction1) / ((v / correction2).squareRoot() + epsilon)
  }
}
