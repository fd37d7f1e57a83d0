import Checks
import FrugalTestSupport
import Tensor

/// A definition of an operation in plain numbers, and how to draw inputs for it.
///
/// The value that the library finds must lie within the bound that `Bounded` derives. Its gradients, of ⟨r, y⟩ for a
/// random r, are compared with differences of the same definition, taken in double precision whatever `Real` is.
struct SecondOpinion: Sendable, CustomStringConvertible {
  /// What both are opinions of.
  let operation: Operation
  /// Inputs at random, and both opinions on them.
  let draw: @Sendable (inout CheckNumbers) -> Case

  var description: String { operation.rawValue }

  init(_ operation: Operation, draw: @escaping @Sendable (inout CheckNumbers) -> Case) {
    (self.operation, self.draw) = (operation, draw)
  }

  /// One draw.
  struct Case {
    let settings: String
    let inputs: [Tensor]
    /// The most terms that a gradient's sums have.
    let terms: Int
    /// For an input by which the operation is not differentiable, the function whose derivative stands in.
    var surrogate: [Int: ([PlainTensor]) -> PlainTensor] = [:]
    let library: ([Variable]) -> Variable
    let plain: ([PlainTensor]) -> PlainTensor

    init(
      _ settings: String, _ inputs: [Tensor], terms: Int,
      library: @escaping ([Variable]) -> Variable, plain: @escaping ([PlainTensor]) -> PlainTensor
    ) {
      (self.settings, self.inputs, self.terms, self.library, self.plain) = (settings, inputs, terms, library, plain)
    }

    init(
      _ inputs: [Tensor], terms: Int,
      library: @escaping ([Variable]) -> Variable, plain: @escaping ([PlainTensor]) -> PlainTensor
    ) { self.init("", inputs, terms: terms, library: library, plain: plain) }

    var description: String { "\(inputs.map(\.shape)) \(settings)" }
  }
}

extension SecondOpinion.Case {
  /// What is wrong with the value of the library; nil where it is within its bound.
  var wrongValue: String? { plain(inputs.map { PlainTensor($0) }).disagreement(with: library(constants).value) }

  private var constants: [Variable] { inputs.map { Variable($0) } }

  /// What is wrong with the gradients of the library, at up to twenty elements of each input.
  ///
  /// A gradient is a sum of at most `terms` products of numbers that were themselves rounded a few times. The bound is
  /// 4 (terms + 16) u of the largest gradient of all inputs, or of 1, the size of r: what cancels leaves errors of that
  /// size behind. Differences over four points add 1e-9 of it.
  func wrongGradient(_ numbers: inout CheckNumbers) -> String? {
    let tape = Tape()
    let leaves = inputs.map { tape.leaf($0) }
    let output = library(leaves)
    let weights = numbers.next(output.shape)
    let gradients = tape.gradients(of: [(output, weights)], for: leaves)[0].map { $0.values.map { Double($0) } }
    let largest = gradients.joined().reduce(1) { max($0, abs($1)) }
    let tolerance = largest * (4 * Double(terms + 16) * Bounded.unit + 1e-9)
    for (input, gradient) in gradients.enumerated() where !gradient.isEmpty {
      let indices =
        gradient.count <= 20 ? Array(gradient.indices) : (0..<20).map { _ in numbers.pick(Array(gradient.indices)) }
      for index in indices {
        let want = derivative(by: input, index, weights)
        guard abs(gradient[index] - want) <= tolerance else {
          return "input \(input) \(inputs[input].shape), element \(index): expected gradient \(want) ± \(tolerance), "
            + "found \(gradient[index])"
        }
      }
    }
    return nil
  }

  /// ∂⟨r, y⟩/∂x by (8 (ℒ(x + h) − ℒ(x − h)) − (ℒ(x + 2h) − ℒ(x − 2h))) / 12h, whose error is of order h⁴.
  private func derivative(by input: Int, _ index: Int, _ weights: Tensor) -> Double {
    let scale = inputs[input].values.reduce(0.1) { max($0, abs(Double($1))) }
    let h = 1e-4 * min(1, scale)
    var plainInputs = inputs.map { PlainTensor($0) }
    let x = plainInputs[input].elements[index].value
    let function = surrogate[input] ?? plain
    func difference(_ h: Double) -> [Double] {
      let (above, below) = (value(x + h), value(x - h))
      return zip(above, below).map { $0 - $1 }
    }
    func value(_ x: Double) -> [Double] {
      plainInputs[input].elements[index] = Bounded(x)
      return function(plainInputs).elements.map(\.value)
    }
    let (near, far) = (difference(h), difference(2 * h))
    return zip(zip(near, far), weights.values).reduce(0) { $0 + (8 * $1.0.0 - $1.0.1) * Double($1.1) } / (12 * h)
  }
}
