import Formats
import Foundation
import Tensor

/// How far elements may lie from those of a reference.
///
///     |s − r| ≤ t · max(|r|, rms r),   t = 4 (N + 8) u
///
/// u is the unit roundoff of the coarser of both types, 2⁻⁵³ or 2⁻²⁴; half precision counts as single, so that rounding
/// to it is seen. N is the number of terms summed in the tensor and in all that it depends on; 64 where a tensor does
/// not state it. The rounding error of a sum of N terms is below N u Σ|terms|; rms r, the root of the mean square of
/// the reference (1 where that is 0), stands for the terms, which cancel where an element is small. 4 leaves room for
/// another order and for functions that are not correctly rounded.
struct Tolerance: Sendable {
  /// The number of terms of a sum that is not stated.
  static let unstatedTerms = 64

  /// t
  let relative: Double
  /// max(|r|, rms r), element by element.
  private let reference: [Double]
  /// rms r
  let scale: Double

  /// The tolerance of a reference; relative: t, which traps unless it is finite and 0 or more.
  init(_ relative: Double, of reference: [Double]) {
    require(relative.isFinite && relative >= 0, "Tolerance: expected a finite number of 0 or more, found \(relative)")
    (self.relative, self.reference) = (relative, reference)
    let finite = reference.filter(\.isFinite)
    let largest = finite.reduce(0) { max($0, abs($1)) }
    // Divided by the largest first, as squares could overflow.
    let sum = largest > 0 ? finite.reduce(0) { $0 + ($1 / largest) * ($1 / largest) } : 0
    let rms = largest * (sum / Double(max(finite.count, 1))).squareRoot()
    scale = rms > 0 ? rms : 1
  }

  /// t for two types and N summed terms.
  static func derived(_ a: ElementType, _ b: ElementType, terms: Int) -> Double {
    let isSingle = [a, b].contains { $0.isFloatingPoint && $0 != .f64 }
    return 4 * (Double(terms) + 8) * (isSingle ? 0x1p-24 : 0x1p-53)
  }

  /// |s − r| / max(|r|, rms r), the error that is compared with t: 0 for the same bits or two NaN, infinite where only
  /// one is finite.
  func error(_ value: Double, at index: Int) -> Double {
    let expected = reference[index]
    if value == expected || (value.isNaN && expected.isNaN) { return 0 }
    guard value.isFinite, expected.isFinite else { return .infinity }
    let (size, difference) = (max(abs(expected), scale), abs(value - expected))
    // The difference of the largest numbers of two signs is infinite; half of the least number is 0.
    return difference.isFinite ? difference / size : abs(value / 2 - expected / 2) / (size / 2)
  }

  /// Returns whether all elements are close enough; slack: a factor of t.
  func accepts(_ values: [Double], slack: Double = 1) -> Bool {
    values.count == reference.count && values.indices.allSatisfy { error(values[$0], at: $0) <= slack * relative }
  }
}
