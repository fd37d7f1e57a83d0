import Foundation

import Testing

@testable import Checks
@testable import Tensor

/// What docs/numerics.md says of errors. `Bench accuracy` measures the same over all numbers.
@Suite struct AccuracyTests {
  /// The largest error of a function over all of `Float`, in ULP, with a margin for compilers and for `Double`.
  struct Bound: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let ulps: Double
    /// Where products are rounded before they are added.
    let ulpsUnfused: Double

    var function: Accuracy { Accuracy.elementary.first { $0.name == testDescription }! }
    var limit: Double { hasFusedMultiplyAdd ? ulps : ulpsUnfused }

    static let all = [
      Bound(testDescription: "exp", ulps: 1.1, ulpsUnfused: 1.1),
      Bound(testDescription: "log", ulps: 0.9, ulpsUnfused: 0.9),
      Bound(testDescription: "tanh", ulps: GradientCheck.isDouble ? 1.95 : 1.8, ulpsUnfused: 2.1),
      Bound(testDescription: "sigmoid", ulps: 2.45, ulpsUnfused: 2.45),
    ]
  }

  @Test func everyFunctionHasABound() {
    #expect(Bound.all.map(\.testDescription) == Accuracy.elementary.map(\.name))
  }

  /// Every 4999-th bit pattern; 2²⁰ times as far apart where there are 2⁶⁴.
  @Test(arguments: Bound.all) func errorsStayBelowTheirBoundsOverAllNumbers(_ bound: Bound) {
    let worst = bound.function.worst(
      stride: GradientCheck.isDouble ? RealBits(truncatingIfNeeded: 1_099_511_627_791 as UInt64) : 4999)
    #expect(worst.error <= bound.limit, "\(worst.error) ULP at \(worst.at)")
    #expect(worst.count > 300_000)
  }

  /// Where a function changes its formula, saturates, overflows or becomes subnormal: 2049 neighbours each.
  @Test(arguments: Bound.all) func errorsStayBelowTheirBoundsAroundEveryBranch(_ bound: Bound) {
    let ln2 = Real(0.693147180559945309417232121458)
    // Saturation of tanh, ends of exp and of its ordinary numbers, √½ and √2 of log.
    var points: [Real] = [0, 1, 4, 6, 9.0109, 10, 16.6355, 17.3287, 18.7150, 20, 87.3365, 88.7228, 89, 103.9721, 104]
    points += [708.3964, 709.7827, 710, 744.4401, 745.1332, 746, .leastNormalMagnitude, 0.5, 2]
    points += [Real(0.5).squareRoot(), Real(2).squareRoot()]
    // The rounding of x / ln 2, and of 2x / ln 2 for tanh.
    for k in 0..<40 {
      let half = (Real(k) + 0.5) * ln2
      points += [half, half / 2]
    }
    for point in points {
      let centre = point.bitPattern
      for sign in [0, (-0.0 as Real).bitPattern] {
        let worst = bound.function.worst((max(centre, 1024) - 1024) | sign...(centre + 1024) | sign)
        #expect(worst.error <= bound.limit, "\(worst.error) ULP at \(worst.at)")
      }
    }
  }

  @Test(arguments: Accuracy.elementary + Accuracy.activations) func zerosInfinitiesAndNaNAreThoseOfTheTruth(
    _ function: Accuracy
  ) {
    #expect(function.mistakes == [])
  }

  @Test func errorsAreGivenInTheirUnits() {
    let (one, last) = (Real(1), Real.ulpOfOne)
    #expect(Accuracy.error(of: one + last, truth: 1, in: .ulp) == 1)
    #expect(Accuracy.error(of: 2 + 2 * last, truth: 2, in: .relative) == Double(last))
    #expect(Accuracy.error(of: 2 + 2 * last, truth: 2, in: .absolute) == 2 * Double(last))
    #expect(Accuracy.error(of: .leastNonzeroMagnitude, truth: 0, in: .ulp) == 1)
    #expect(Accuracy.error(of: .nan, truth: 0, in: .ulp) == .infinity)
    #expect(Accuracy.error(of: 0, truth: .nan, in: .ulp) == .infinity)
    #expect(Accuracy.error(of: .nan, truth: .nan, in: .ulp) == 0)
    #expect(Accuracy.error(of: .infinity, truth: .infinity, in: .ulp) == 0)
    #expect(Accuracy.error(of: .infinity, truth: Accuracy.Exact(Real.greatestFiniteMagnitude), in: .ulp) >= 1)
    #expect(Accuracy.error(of: -.infinity, truth: .infinity, in: .ulp) > 1)
  }
}

/// The activations: relative errors to the right, and where they do not cancel; absolute errors to the left.
@Suite struct ActivationAccuracyTests {
  private func worst(_ name: String, _ from: Real, _ to: Real, _ unit: Accuracy.Unit) -> Double {
    let ends = [from.bitPattern, to.bitPattern].sorted()
    let stride = GradientCheck.isDouble ? RealBits(truncatingIfNeeded: 549_755_813_911 as UInt64) : 997
    let function = Accuracy.activations.first { $0.name == name }!
    return function.worst(ends[0]...ends[1], stride: stride, in: unit).error / Double(Real.ulpOfOne)
  }

  /// In units of the distance from 1 to the next number: 1.2e-7 in single precision.
  @Test(arguments: [("gelu", hasFusedMultiplyAdd ? 0.5 : 0.55), ("geluTanh", 2), ("quickGELU", 0.4)])
  func absoluteErrorsOfNegativeNumbersAreThoseOfNumbersNearOne(_ name: String, _ bound: Double) {
    #expect(worst(name, -16, -0x1p-30, .absolute) <= bound)
  }

  @Test(arguments: [("gelu", hasFusedMultiplyAdd ? 2.4 : 2.6), ("geluTanh", 1.4), ("quickGELU", 1.5)])
  func positiveNumbersKeepTheirRelativePrecision(_ name: String, _ bound: Double) {
    #expect(worst(name, 0x1p-30, 16, .relative) <= bound)
  }

  /// σ keeps its relative precision in the tail, and so does x σ(1.702 x).
  @Test func quickGELUDoesNotCancel() { #expect(worst("quickGELU", -16, -0x1p-30, .relative) <= 20) }

  /// Nothing cancels in n Φ(n), and x² is rounded once in its exponent.
  @Test func theTailOfGELUKeepsItsDigits() {
    #expect(worst("gelu", -5, -0x1p-30, .relative) <= (hasFusedMultiplyAdd ? 10 : 15))
    #expect(worst("gelu", -12, -5, .relative) <= (hasFusedMultiplyAdd ? 45 : 70))
  }
}

extension Accuracy: CustomTestStringConvertible {
  /// The name of the function.
  public var testDescription: String { name }
}
