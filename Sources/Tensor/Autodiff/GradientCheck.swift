/// A finite-difference check of everything a function says about its own gradient.
///
/// The function maps tensors to a tensor y; a fixed random tensor r turns it into a scalar ℒ = ⟨r, y⟩, and the gradient of
/// ℒ by the tape is compared with central differences,
///
///     ∂ℒ/∂x ≈ (ℒ(x + h) − ℒ(x − h)) / 2h,   h = ∛ε max(1, |x|)
///
/// whose own error is about ε^⅔ times the scale of the third derivative: 4e-11 in double precision. There every
/// element of every input is moved by itself; in single precision, where differences of nearly equal numbers lose most of
/// their digits, each input is moved as a whole along random directions.
///
/// An input that differences cannot audit is captured by the function as a constant. A straight-through estimator, whose
/// gradient is by definition that of another function, names it: differences are then taken of `relaxed`, at inputs
/// where both functions have one value.
public struct GradientCheck: Check {
  /// What is checked: `operation`, or `operation/variant`.
  public let name: String
  /// Names and values of the inputs.
  public let inputs: [(name: String, value: Tensor)]
  /// The function under test.
  public let function: @Sendable ([Variable]) -> Variable
  /// The function whose gradient that of `function` claims to be, if it is another one.
  public let relaxed: (@Sendable ([Tensor]) -> Tensor)?
  /// How much is checked at once.
  public let scope: Scope

  /// How much is checked at once: what bounds the third derivative, and with it the error of a difference.
  public enum Scope: Sendable {
    /// One operation, or one layer made of a few.
    case operation
    /// A whole network and its loss: derivatives of higher order multiply up over its depth.
    case network
  }

  /// A check of `function` at the given inputs.
  public init(
    _ name: String, _ inputs: [(name: String, value: Tensor)], scope: Scope = .operation,
    relaxed: (@Sendable ([Tensor]) -> Tensor)? = nil, _ function: @escaping @Sendable ([Variable]) -> Variable
  ) {
    (self.name, self.inputs, self.scope, self.relaxed, self.function) = (name, inputs, scope, relaxed, function)
  }

  /// The largest relative error a right gradient shows: in double precision 1e-7 for an operation and 1e-6 for a
  /// network, in single precision 2e-3.
  public var tolerance: Double {
    guard Self.isDouble else { return 2e-3 }
    return scope == .operation ? 1e-7 : 1e-6
  }

  /// Whether this build calculates in double precision, where every element is moved by itself.
  public static var isDouble: Bool { MemoryLayout<Real>.size == 8 }

  /// The operations on the tape of the function.
  public var operations: Set<Operation> {
    let tape = Tape()
    _ = function(inputs.map { tape.leaf($0.value) })
    return tape.operations
  }

  /// What the tape says: the output, and the gradient of ℒ = ⟨r, output⟩ with respect to every input.
  public func outputAndGradients() -> (output: Tensor, gradients: [Tensor]) {
    let tape = Tape()
    let leaves = inputs.map { tape.leaf($0.value) }
    let output = function(leaves)
    return (output.value, tape.gradients(of: output.dot(Variable(Self.weights(output.shape))), for: leaves))
  }

  /// The fixed tensor r.
  private static func weights(_ shape: Shape) -> Tensor { CheckNumbers(seed: 0x5EED).tensor(shape) }

  /// Runs the check: one finding an input.
  public func findings() -> [Finding] {
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
      let scale = max(analytic.reduce(0) { max($0, abs($1)) }, 1e-3 * largest, 1e-12)
      var (worst, at) = (0.0, 0)
      for (index, pair) in zip(analytic, numeric).enumerated() {
        let error = abs(pair.0 - pair.1)
        if !(error <= worst) { (worst, at) = (error.isNaN ? .infinity : error, index) }
      }
      return Finding(
        input: inputs[position].name, shape: value.shape, relativeError: worst / scale, absoluteError: worst, index: at)
    }
  }

  /// Every element moved by itself.
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

  /// All elements moved along eight random directions of length 1.
  private func directionalDifferences(
    _ value: Tensor, _ gradient: [Real], _ loss: ([Real]) -> Double
  ) -> (numeric: [Double], analytic: [Double]) {
    let values = value.values
    var (numeric, analytic): ([Double], [Double]) = ([], [])
    for direction in 0..<8 {
      var v = CheckNumbers(seed: UInt64(direction)).tensor(value.shape).values
      let length = Real(innerProduct(v, v).squareRoot())
      v = v.map { $0 / max(length, .leastNormalMagnitude) }
      let step = Self.step * max(1, values.reduce(0) { max($0, abs($1)) })
      let above = zip(values, v).map { $0 + step * $1 }
      let below = zip(values, v).map { $0 - step * $1 }
      numeric.append((loss(above) - loss(below)) / Double(2 * step))
      analytic.append(innerProduct(gradient, v))
    }
    return (numeric, analytic)
  }

  /// ∛ε
  private static var step: Real { isDouble ? 6.055454452393343e-06 : 4.9215666e-03 }
}

private func innerProduct(_ a: [Real], _ b: [Real]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
