import Foundation
import Tensor

/// A function and its true values, to measure its error.
///
/// The truth is libm's, in a wider format than `Real`: `Double` for `Float`, where libm's own error is some 2⁻²⁹ of a
/// unit in the last place of ours; for `Double` the 64-bit significand of x86, where it is some 2⁻¹¹. On other
/// processors `Double` is compared with libm's `Double`, and up to an ULP of the measured error is libm's.
package struct Accuracy: Sendable {
  #if REAL64 && arch(x86_64)
    package typealias Exact = Float80
  #else
    package typealias Exact = Double
  #endif

  /// The unit of an error.
  package enum Unit: Sendable {
    /// The spacing of `Real` values at the true value; ∞ counts as the power of two after the largest finite value.
    case ulp
    /// The true value.
    case relative
    /// 1.
    case absolute
  }

  /// The largest error among some values.
  package struct Worst: Sendable {
    /// How many numbers.
    package var count = 0
    /// Infinite if a result is NaN and should not be, or the reverse.
    package var error = 0.0
    /// The argument of the largest error.
    package var at: Real = 0
  }

  package let name: String
  /// The function, element by element.
  package let function: @Sendable (Tensor) -> Tensor
  /// The truth.
  package let reference: @Sendable (Exact) -> Exact

  /// The largest error over every `stride`th bit pattern of a range. Patterns of values of one sign are in the order
  /// of their magnitudes.
  package func worst(_ patterns: ClosedRange<RealBits>, stride: RealBits = 1, in unit: Unit = .ulp) -> Worst {
    var worst = Worst(count: Int((patterns.upperBound - patterns.lowerBound) / stride) + 1)
    let (block, piece) = (1 << 20, 1 << 13)
    for start in Swift.stride(from: 0, to: worst.count, by: block) {
      let count = min(block, worst.count - start)
      let x = Tensor([count]) { x in
        for index in 0..<count {
          x[index] = Real(bitPattern: patterns.lowerBound + RealBits(start + index) * stride)
        }
      }
      var found = [Worst](repeating: Worst(), count: (count + piece - 1) / piece)
      found.withUnsafeMutableBufferPointer { found in
        Tensor.read(x, function(x)) { x, y in
          Parallel.forEachRange(count, grain: piece) { range in
            var own = Worst()
            for index in range {
              let error = Self.error(of: y[index], truth: reference(Exact(x[index])), in: unit)
              if error > own.error { (own.error, own.at) = (error, x[index]) }
            }
            found[range.lowerBound / piece] = own
          }
        }
      }
      for own in found where own.error > worst.error { (worst.error, worst.at) = (own.error, own.at) }
    }
    return worst
  }

  /// The largest error over every `stride`th of all values: for `Float` of all bit patterns; for `Double`, which has
  /// too many, the magnitudes from 2⁻⁶⁴ to 2¹¹, between which a function is neither linear nor constant, and for log
  /// all that is not negative.
  package func worst(stride: RealBits) -> Worst {
    #if REAL64
      let (small, large, sign) = (Real(0x1p-64).bitPattern, Real(0x1p11).bitPattern, Real(-0.0).bitPattern)
      let ranges =
        name == "log" ? [0...Real.infinity.bitPattern] : [small...large, (small | sign)...(large | sign)]
    #else
      let ranges = [0...RealBits.max]
    #endif
    return ranges.reduce(into: Worst()) { all, range in
      let found = worst(range, stride: stride)
      if found.error > all.error { (all.error, all.at) = (found.error, found.at) }
      all.count += found.count
    }
  }

  /// The error of a value; infinite if only one of the two is NaN.
  package static func error(of value: Real, truth: Exact, in unit: Unit) -> Double {
    if value.isNaN || truth.isNaN { return value.isNaN && truth.isNaN ? 0 : .infinity }
    let rounded = Real(truth)
    if Exact(value) == truth || value.isInfinite && value == rounded { return 0 }
    let infinity = Exact(Real.greatestFiniteMagnitude) + Exact(Real.greatestFiniteMagnitude.ulp)
    let distance = Double(abs((value.isInfinite ? (value > 0 ? infinity : -infinity) : Exact(value)) - truth))
    switch unit {
    case .ulp: return distance / Double(min(abs(rounded), .greatestFiniteMagnitude).ulp)
    case .relative: return distance / Double(abs(truth))
    case .absolute: return distance
    }
  }

  /// The errors at ±0, ±∞, NaN of both signs, and the smallest and largest values, one line each: zeros, infinities
  /// and NaN must be those of the true value, the sign of zero included. Half of the smallest number may be rounded
  /// either way.
  package var mistakes: [String] {
    let ends: [Real] = [0, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, .infinity, .nan]
    return (ends + ends.map { -$0 }).compactMap { x in
      let (found, truth) = (function(Tensor([1], [x])).values[0], reference(Exact(x)))
      let expected = Real(truth)
      let isExact = found.isNaN ? expected.isNaN : found == expected && found.sign == expected.sign
      let allowed = expected.isNormal ? 2 : truth == 0 ? 0 : 0.5
      let isNear = allowed > 0 && Self.error(of: found, truth: truth, in: .ulp) <= allowed
      return isExact || isNear ? nil : "\(name)(\(x)): expected \(expected), found \(found)"
    }
  }
}

extension Accuracy {
  /// The functions of `Transcendental`.
  package static let elementary: [Accuracy] = Transcendental.Function.allCases.map { function in
    Accuracy(
      name: function.rawValue,
      function: { x in
        Tensor(x.shape) { y in Tensor.read(x) { function.map($0, into: y, count: x.count) } }
      },
      reference: {
        switch function {
        case .exp: exp($0)
        case .log: $0.isNaN || $0 < 0 ? .nan : log($0)
        case .tanh: tanh($0)
        case .sigmoid: 1 / (1 + exp(-$0))
        }
      })
  }

  /// The activations built on them. Their true values are formed without cancellation: x Φ(x) = ½ x erfc(−x/√2), and ½
  /// (1 + tanh u) = σ(2u).
  package static let activations = [
    // −0 is the limit at −∞, where the product is NaN.
    Accuracy(
      name: "gelu", function: { Variable($0).gelu().value },
      reference: { $0 == -.infinity ? -0.0 : $0 * erfc(-$0 * rootHalf) / 2 }),
    Accuracy(
      name: "geluTanh", function: { Variable($0).geluTanh().value },
      reference: { $0 / (1 + exp(-2 * rootTwoOverPi * ($0 + cubicCoefficient * $0 * $0 * $0))) }),
    Accuracy(
      name: "quickGELU", function: { Variable($0).quickGELU().value }, reference: { $0 / (1 + exp(-slope * $0)) }),
  ]

  private static let rootHalf = Exact(0.5).squareRoot()
  private static let rootTwoOverPi = (2 / Exact.pi).squareRoot()
  private static let cubicCoefficient = Exact(44_715) / 1_000_000
  private static let slope = Exact(1702) / 1000
}

extension Accuracy {
  /// The summation orders of the library, each by a sum that uses it.
  package static let sums: [(name: String, sum: @Sendable (Tensor) -> Real)] = [
    ("one by one", { $0.values.reduce(0, +) }),
    ("matrix product", { x in product(x) }),
    ("along a row", { x in Tensor.read(x) { x0 in rowSum(x.count) { load(x0 + $0, $1) } } }),
    (
      "over rows",
      { x in Tensor.read(x) { x0 in sumOverRows(x.count, width: 1) { row, _, _ in load(x0 + row, 1) } }.values[0] }
    ),
    ("long", { x in Tensor.read(x) { x0 in Real(longSum(x.count) { load(x0 + $0, $1) }) } }),
  ]

  /// Σ x as the product of x with ones.
  private static func product(_ x: Tensor) -> Real {
    let ones = Tensor([x.count, 1], repeating: 1)
    return Tensor.read(x, ones) { x0, ones in
      Tensor([1]) {
        gemm(1, 1, x.count, MatrixView(x0, rowStride: x.count), MatrixView(ones, rowStride: 1), into: $0, cStride: 1)
      }
    }.values[0]
  }
}
