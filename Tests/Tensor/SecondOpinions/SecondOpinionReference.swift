import FrugalTestSupport
import Reference
import Tensor

// The definitions are those of `Reference`; what is added here is how far rounding may lead away from them.

extension Matrix {
  /// The numbers of a tensor: its last extent as columns, the others together as rows.
  init(_ tensor: PlainTensor) {
    self.init(tensor.shape.rows, tensor.shape.width, tensor.elements.map(\.value))
  }

  /// Element by element.
  var magnitude: Matrix { map { abs($0) } }
}

extension PlainTensor {
  /// A result of `Reference`, with a bound for the error of each element in units of u.
  init(_ shape: Shape, _ result: Matrix, error: Matrix) {
    self.init(shape, zip(result.values, error.values).map { Bounded($0, error: $1) })
  }

  /// A result of `Reference`, of which each element is off by a number of roundings of its own size; 0 for copies.
  init(_ shape: Shape, _ result: Matrix, roundings: Double) {
    self.init(shape, result, error: result.map { roundings * abs($0) })
  }

  /// A result of `Reference`, with the errors that these numbers got by following its calculation step by step.
  func centred(on result: Matrix) -> PlainTensor {
    PlainTensor(shape, zip(result.values, elements).map { Bounded($0, error: $1.error) })
  }
}

/// How far a linear map may be off, in units of u: each of n products is rounded once, and a sum of n terms in any
/// order adds n u Σ |x W| (Higham 2002, section 3.1).
///
/// - roundings: of a weight before the product.
func linearError(_ x: Matrix, weight: Matrix, bias: Matrix?, roundings: Double = 0) -> Matrix {
  let terms = Double(weight.columns + (bias == nil ? 0 : 1))
  return linear(x.magnitude, weight: weight.magnitude, bias: bias?.magnitude).map { (terms + 1 + roundings) * $0 }
}
