import Foundation
import Tensor

/// A number in double precision, and how far the same calculation in `Real` may be off.
///
/// The analysis of rounding errors that Wilkinson did on paper runs along with the calculation (Higham 2002, section
/// 3.3): with u half a unit in the last place of 1, every rounded operation adds u times its result, and passes on the
/// errors of its operands. A sum of n terms adds n u Σ |x|, which holds for any order of summation. Elementary
/// functions add the errors that `Transcendental` states. A tolerance is so derived from the formula itself, its number
/// of terms and the precision; nothing is chosen.
package struct Bounded: Sendable {
  /// The number.
  package let value: Double
  /// The bound of the error, in units of u.
  package let error: Double

  /// u
  package static let unit = Double(Real.ulpOfOne) / 2

  /// A number with a known error; exact by default.
  package init(_ value: Double, error: Double = 0) { (self.value, self.error) = (value, error) }

  /// A number of the library, taken as it is.
  package init(_ value: Real) { self.init(Double(value), error: 0) }

  /// A constant that the library holds rounded.
  package static func constant(_ value: Double) -> Bounded { Bounded(value, error: abs(value)) }

  /// The largest distance of a right result.
  ///
  /// What underflows is off by up to the smallest normal number; and where `Real` is `Double`, `value` has been rounded
  /// as often as the result.
  package var tolerance: Double {
    error * Self.unit * (MemoryLayout<Real>.size == 8 ? 2 : 1) + 4 * Double(Real.leastNormalMagnitude)
  }

  /// What is off by at most `error` before one more rounding.
  private init(_ value: Double, passing error: Double, ulps: Double = 0.5) {
    self.init(value, error: error + 2 * ulps * abs(value))
  }

  /// The sum of any number of terms in any order.
  package static func sum(_ terms: some Sequence<Bounded>) -> Bounded {
    var (value, size, error, count) = (0.0, 0.0, 0.0, 0.0)
    for term in terms {
      (value, size, error, count) = (value + term.value, size + abs(term.value), error + term.error, count + 1)
    }
    return Bounded(value, error: error + count * size)
  }

  /// a + b, rounded once.
  package static func + (a: Bounded, b: Bounded) -> Bounded { Bounded(a.value + b.value, passing: a.error + b.error) }
  /// a − b, rounded once.
  package static func - (a: Bounded, b: Bounded) -> Bounded { a + -b }
  /// −a, exact.
  package static prefix func - (a: Bounded) -> Bounded { Bounded(-a.value, error: a.error) }

  /// a · b, rounded once; an error of either factor counts by the other.
  package static func * (a: Bounded, b: Bounded) -> Bounded {
    Bounded(
      a.value * b.value,
      passing: abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error * unit)
  }

  /// a / b, rounded once.
  package static func / (a: Bounded, b: Bounded) -> Bounded {
    let (quotient, smallest) = (a.value / b.value, abs(b.value) - b.error * unit)
    return Bounded(quotient, passing: smallest > 0 ? (a.error + abs(quotient) * b.error) / smallest : .infinity)
  }

  /// √x
  package var squareRoot: Bounded {
    let (root, least) = (value.squareRoot(), max(0, value - error * Self.unit).squareRoot())
    return Bounded(root, passing: error == 0 ? 0 : error / (root + least))
  }

  /// eˣ, to 1.5 units in the last place.
  package var exp: Bounded {
    let power = Foundation.exp(value)
    return Bounded(power, passing: power * Foundation.expm1(error * Self.unit) / Self.unit, ulps: 1.5)
  }

  /// log x, to one unit in the last place.
  package var log: Bounded { Bounded(Foundation.log(value), passing: error / (value - error * Self.unit), ulps: 1) }

  /// tanh x, to three units in the last place.
  package var tanh: Bounded {
    let nearest = Foundation.tanh(max(0, abs(value) - error * Self.unit))
    return Bounded(Foundation.tanh(value), passing: error * (1 - nearest * nearest), ulps: 3)
  }

  /// 1 / (1 + e⁻ˣ), to three units in the last place; its logarithm has a slope below 1.
  package var sigmoid: Bounded {
    let s = 1 / (1 + Foundation.exp(-value))
    return Bounded(s, passing: s * Foundation.expm1(error * Self.unit) / Self.unit, ulps: 3)
  }

  /// erf x, to two units in the last place.
  package var erf: Bounded {
    let nearest = max(0, abs(value) - error * Self.unit)
    return Bounded(
      Foundation.erf(value), passing: error * 2 / Double.pi.squareRoot() * Foundation.exp(-nearest * nearest), ulps: 2)
  }
}

/// A tensor of bounded numbers, for definitions that are read element by element.
package struct PlainTensor: Sendable {
  /// The extents, outermost first.
  package let shape: Shape
  /// The elements in row-major order.
  package var elements: [Bounded]

  /// The numbers of a tensor, taken as they are.
  package init(_ tensor: Tensor) { (shape, elements) = (tensor.shape, tensor.values.map { Bounded($0) }) }

  /// A tensor by its elements.
  package init(_ shape: Shape, _ elements: [Bounded]) { (self.shape, self.elements) = (shape, elements) }

  /// A tensor by a formula for every element.
  package init(_ shape: Shape, _ formula: (_ index: [Int]) -> Bounded) {
    self.init(
      shape,
      (0..<shape.count).map { position in
        var (rest, index) = (position, [Int](repeating: 0, count: shape.rank))
        for dimension in index.indices.reversed() {
          index[dimension] = rest % shape[dimension]
          rest /= shape[dimension]
        }
        return formula(index)
      })
  }

  /// A scalar.
  package init(_ value: Bounded) { self.init([], [value]) }

  /// The element at i, in row-major order.
  package subscript(_ i: Int) -> Bounded { elements[i] }
  /// Element (i, j) of a matrix.
  package subscript(_ i: Int, _ j: Int) -> Bounded { elements[i * shape[1] + j] }
  /// Element (i, j, k) of three dimensions.
  package subscript(_ i: Int, _ j: Int, _ k: Int) -> Bounded { elements[(i * shape[1] + j) * shape[2] + k] }
  /// Element (i, j, k, l) of four dimensions.
  package subscript(_ i: Int, _ j: Int, _ k: Int, _ l: Int) -> Bounded {
    elements[((i * shape[1] + j) * shape[2] + k) * shape[3] + l]
  }

  /// The rows of the last dimension.
  package var rows: [[Bounded]] {
    (0..<shape.rows).map { Array(elements[($0 * shape.width)..<(($0 + 1) * shape.width)]) }
  }

  /// The same function of every row.
  package func mapRows(_ function: ([Bounded]) -> [Bounded]) -> PlainTensor {
    PlainTensor(shape, rows.flatMap(function))
  }

  /// The same function of every element.
  package func map(_ function: (Bounded) -> Bounded) -> PlainTensor { PlainTensor(shape, elements.map(function)) }

  /// What is wrong with a result of the library, in one sentence; nil if every element is within its tolerance.
  package func disagreement(with found: Tensor) -> String? {
    guard found.shape == shape else { return "expected shape \(shape), found \(found.shape)" }
    for (index, (got, want)) in zip(found.values, elements).enumerated() {
      guard abs(Double(got) - want.value) <= want.tolerance || Double(got) == want.value else {
        return "element \(index) of \(shape): expected \(want.value) ± \(want.tolerance), found \(got)"
      }
    }
    return nil
  }
}
