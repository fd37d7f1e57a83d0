import Foundation

/// The nonlinearity of an MLP.
public enum Nonlinearity: Sendable {
  /// The Gaussian error linear unit, of ViT.
  case gelu
  /// Its approximation by a sigmoid, of CLIP.
  case quickGELU
}

/// The Gaussian error linear unit, exact form (Hendrycks and Gimpel 2016).
///
///     y = x Φ(x),   Φ(x) = ½ (1 + erf(x / √2))
///
/// - x, y: one shape.
public func gelu(_ x: Matrix) -> Matrix { x.map { $0 * normalDistribution($0) } }

/// The gradient of GELU.
///
///     ∂x = ∂y (Φ(x) + x φ(x)),   φ(x) = exp(−x²/2) / √(2π)
///
/// - dy, x: one shape.
public func geluBackward(_ dy: Matrix, x: Matrix) -> Matrix {
  dy.zip(x) { dy, x in
    let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    return dy * (normalDistribution(x) + x * density)
  }
}

/// CLIP's activation (Radford et al. 2021, released code).
///
///     y = x σ(1.702 x),   σ(u) = 1 / (1 + exp(−u))
///
/// - x, y: one shape.
public func quickGELU(_ x: Matrix) -> Matrix { x.map { $0 * sigmoid(1.702 * $0) } }

/// The gradient of CLIP's activation.
///
///     ∂x = ∂y (s + 1.702 x s (1 − s)),   s = σ(1.702 x)
///
/// - dy, x: one shape.
public func quickGELUBackward(_ dy: Matrix, x: Matrix) -> Matrix {
  dy.zip(x) { dy, x in
    let s = sigmoid(1.702 * x)
    return dy * (s + 1.702 * x * s * (1 - s))
  }
}

/// Φ(x); erfc keeps its digits where x is far below zero and 1 + erf would cancel.
private func normalDistribution(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

/// σ(u)
private func sigmoid(_ u: Double) -> Double { 1 / (1 + exp(-u)) }
