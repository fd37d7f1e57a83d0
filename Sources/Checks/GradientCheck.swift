import Tensor

/// A finite-difference check of every gradient of a function.
///
/// The function maps tensors to a tensor y; a fixed random tensor r turns it into a scalar ℒ = ⟨r, y⟩, and the gradient
/// of ℒ by the tape is compared with central differences,
///
///     ∂ℒ/∂x ≈ D(h) = (ℒ(x + h) − ℒ(x − h)) / 2h
///
/// In double precision every element of every input is perturbed by itself, with h = ∛ε max(1, |x|), whose own error is
/// about ε^⅔ times the scale of the third derivative: 4e-11. The error has two parts: h²/6 times the third derivative,
/// and rounding, about ε ℒ/h, which grows as h shrinks (docs/gradcheck.md, "Steps and tolerances"). In single
/// precision, where differences of nearly equal numbers lose most of their digits, each input is perturbed as a whole
/// along random directions, by steps large enough for rounding to be small, and D is extrapolated to h = 0.
///
/// An input that differences cannot audit is captured by the function as a constant. The check of a straight-through
/// estimator, whose gradient is by definition another function's, names that function, `relaxed`; differences are taken
/// of it, at inputs where both functions have one value.
package struct GradientCheck: Check {
  /// The name of the check: `operation`, or `operation/variant`.
  package let name: String
  /// Names and values of the inputs.
  package let inputs: [(name: String, value: Tensor)]
  /// The function under test.
  package let function: @Sendable ([Variable]) -> Variable
  /// The function whose gradient `function` claims to have, if it is another one.
  package let relaxed: (@Sendable ([Tensor]) -> Tensor)?
  /// The extent of the check.
  package let scope: Scope

  /// The extent of a check, which bounds the third derivative and with it the error of a difference.
  package enum Scope: Sendable {
    /// One operation, or one layer made of a few.
    case operation
    /// A whole network and its loss: higher derivatives multiply over its depth.
    case network
  }

  /// A check of `function` at the given inputs.
  package init(
    _ name: String, _ inputs: [(name: String, value: Tensor)], scope: Scope = .operation,
    relaxed: (@Sendable ([Tensor]) -> Tensor)? = nil, _ function: @escaping @Sendable ([Variable]) -> Variable
  ) {
    (self.name, self.inputs, self.scope, self.relaxed, self.function) = (name, inputs, scope, relaxed, function)
  }

  /// The largest relative error of a correct gradient: in double precision 1e-7 for an operation and 1e-6 for a
  /// network, in single precision 2e-3.
  package var tolerance: Double {
    guard Self.isDouble else { return 2e-3 }
    return scope == .operation ? 1e-7 : 1e-6
  }

  /// The share of the largest gradient below which a gradient is no longer measured by its own size.
  ///
  /// A gradient that is zero in theory, such as that of a key's bias, would be divided by rounding noise. What rounding
  /// does to a difference in single precision is about 1e-5 of the largest gradient, tolerance times this share 2e-5.
  private static var smallestShare: Double { isDouble ? 1e-3 : 1e-2 }

  /// True if this build calculates in double precision, where every element is perturbed by itself.
  package static var isDouble: Bool { MemoryLayout<Real>.size == 8 }

  /// The operations on the tape of the function.
  package var operations: Set<Operation> {
    let tape = Tape()
    _ = function(inputs.map { tape.leaf($0.value) })
    return tape.operations
  }

  /// The result by the tape: the output, and the gradient of ℒ = ⟨r, output⟩ with respect to every input.
  package func outputAndGradients() -> (output: Tensor, gradients: [Tensor]) {
    let tape = Tape()
    let leaves = inputs.map { tape.leaf($0.value) }
    let output = function(leaves)
    return (output.value, tape.gradients(of: output.dot(Variable(Self.weights(output.shape))), for: leaves))
  }

  /// The fixed tensor r.
  static func weights(_ shape: Shape) -> Tensor { CheckNumbers(seed: 0x5EED).tensor(shape) }

  /// Runs the check: one finding per input.
  package func findings() -> [Finding] {
    let (output, gradientTensors) = outputAndGradients()
    let weights = Self.weights(output.shape).values
    let gradients = gradientTensors.map(\.values)
    let largest = gradients.joined().reduce(0) { max($0, abs(Double($1))) }
    var moved = inputs.map(\.value)

    /// ℒ with one input replaced.
    func loss(_ position: Int, _ values: [Real]) -> Double {
      moved[position] = Tensor(inputs[position].value.shape, values)
      defer { moved[position] = inputs[position].value }
      return innerProduct((relaxed?(moved) ?? function(moved.map { Variable($0) }).value).values, weights)
    }

    return inputs.indices.map { position in
      let value = inputs[position].value
      let (numeric, analytic) =
        Self.isDouble
        ? differences(value, gradients[position]) { loss(position, $0) }
        : directionalDifferences(value, gradients[position]) { loss(position, $0) }
      let scale = max(analytic.reduce(0) { max($0, abs($1)) }, Self.smallestShare * largest, 1e-12)
      var (worst, at) = (0.0, 0)
      for (index, pair) in zip(analytic, numeric).enumerated() {
        let error = abs(pair.0 - pair.1)
        if !(error <= worst) { (worst, at) = (error.isNaN ? .infinity : error, index) }
      }
      return Finding(
        input: inputs[position].name, shape: value.shape, relativeError: worst / scale, absoluteError: worst, index: at)
    }
  }

  /// Every element perturbed by itself.
  private func differences(
    _ value: Tensor, _ gradient: [Real], _ loss: ([Real]) -> Double
  ) -> (numeric: [Double], analytic: [Double]) {
    var values = value.values
    let numeric = values.indices.map { index in
      let x = values[index]
      let step = Self.step * max(1, abs(x))
      values[index] = x + step
      let (above, up) = (loss(values), values[index])
      values[index] = x - step
      let (below, down) = (loss(values), values[index])
      values[index] = x
      return (above - below) / Double(up - down)
    }
    return (numeric, gradient.map { Double($0) })
  }

  /// All elements perturbed along four random directions of length 1.
  private func directionalDifferences(
    _ value: Tensor, _ gradient: [Real], _ loss: ([Real]) -> Double
  ) -> (numeric: [Double], analytic: [Double]) {
    let values = value.values
    let scale = max(1, values.reduce(0) { max($0, abs($1)) })
    var (numeric, analytic): ([Double], [Double]) = ([], [])
    for direction in 0..<4 {
      let v = Self.direction(UInt64(direction), value.shape)
      let derivative = Self.ridders { step in
        let h = scale * step
        return (loss(zip(values, v).map { $0 + h * $1 }) - loss(zip(values, v).map { $0 - h * $1 })) / Double(2 * h)
      }
      numeric.append(derivative)
      analytic.append(innerProduct(gradient, v))
    }
    return (numeric, analytic)
  }

  /// A random direction of length 1.
  static func direction(_ seed: UInt64, _ shape: Shape) -> [Real] {
    let v = CheckNumbers(seed: seed).tensor(shape).values
    let length = Real(innerProduct(v, v).squareRoot())
    return v.map { $0 / max(length, .leastNormalMagnitude) }
  }

  /// The limit of central differences D(h) for h → 0, extrapolated from large steps, where rounding is small, and taken
  /// from where neighbours in the table agree best (Ridders 1982, Accurate computation of F′(x) and F′(x) F″(x)).
  private static func ridders(_ difference: (Real) -> Double) -> Double {
    var row: [Double] = []
    var (best, error) = (Double.nan, Double.infinity)
    var step: Real = 0.4
    for _ in 0..<6 {
      var next = [difference(step)]
      var power = 1.0
      for (order, coarse) in row.enumerated() {
        power *= 4
        let finer = (power * next[order] - coarse) / (power - 1)
        let spread = max(abs(finer - next[order]), abs(finer - coarse))
        if spread <= error { (best, error) = (finer, spread) }
        next.append(finer)
      }
      row = next
      step /= 2
    }
    return best
  }

  /// ∛ε of double precision
  private static var step: Real { 6.055454452393343e-06 }
}

/// Σ a b
func innerProduct(_ a: [Real], _ b: [Real]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
