import Tensor

/// A check of gradients that must equal others to the last bit, where differences do not apply.
///
/// A straight-through estimator and a rule between gradients are not derivatives; what they claim is an
/// equation between gradients, and the check is that equation.
package struct IdentityCheck: Check {
  /// Two sides of an equation, for one input.
  package struct Equation: Sendable {
    let input: String
    let found, expected: Tensor

    /// `found` = `expected`, for the gradient of the input of this name.
    package init(_ input: String, _ found: Tensor, equals expected: Tensor) {
      (self.input, self.found, self.expected) = (input, found, expected)
    }
  }

  /// The name of the check: `subject`, or `subject/variant`.
  package let name: String
  private let equations: @Sendable () -> [Equation]

  /// A check that all equations hold.
  package init(_ name: String, _ equations: @escaping @Sendable () -> [Equation]) {
    (self.name, self.equations) = (name, equations)
  }

  /// Zero: both sides must be equal.
  package var tolerance: Double { 0 }

  /// Compares both sides of every equation; an error between tensors of two shapes is infinite.
  package func findings() -> [Finding] {
    equations().map { equation in
      let (found, expected) = (equation.found, equation.expected)
      var (worst, at, largest) = (found.shape == expected.shape ? 0.0 : .infinity, 0, 0.0)
      for (index, pair) in zip(found.values, expected.values).enumerated() {
        let error = abs(Double(pair.0) - Double(pair.1))
        largest = max(largest, abs(Double(pair.1)))
        if !(error <= worst) { (worst, at) = (error.isNaN ? .infinity : error, index) }
      }
      return Finding(
        input: equation.input, shape: expected.shape, relativeError: worst == 0 ? 0 : worst / max(largest, 1e-12),
        absoluteError: worst, index: at)
    }
  }
}
