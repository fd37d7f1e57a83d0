import Checks
import Foundation
import Testing

@testable import Tensor

/// Φ and e^(−n²/2) at n = −|x|, which GELU and its gradient are made of.
@Suite struct NormalDistributionTests {
  private static let end: Real = isDouble ? -37.5 : -13

  private func lower(_ x: Real) -> (n: Real, power: Real, distribution: Real) {
    let normal = LowerNormal(Lanes(repeating: x))
    return (normal.n[0], normal.power[0], normal.distribution[0])
  }

  /// Nothing cancels: six roundings, and that of n² in the exponent; more where products are rounded before they are
  /// added.
  @Test func errorsAreRelativeOnTheWholeTail() {
    let unit = Double(Real.ulpOfOne) / 2
    for x in patterns(Self.end...0) {
      let (found, n) = (lower(x), Accuracy.Exact(x))
      let bound = unit * (hasFusedMultiplyAdd ? 6 + Double(n * n) : 8 + 1.5 * Double(n * n))
      func expect(_ value: Real, _ truth: Accuracy.Exact) {
        // A number below the ordinary ones has fewer digits, whatever is done.
        guard Real(truth).isNormal else { return }
        let error = Accuracy.error(of: value, truth: truth, in: .relative)
        if error > bound { Issue.record("\(x): expected \(truth), found \(value), off by \(error) of \(bound)") }
      }
      expect(found.distribution, erfc(-n * Accuracy.Exact(0.5).squareRoot()) / 2)
      expect(found.power, exp(-n * n / 2))
    }
  }

  @Test func bothSignsHaveTheSameBits() {
    for x in patterns(Self.end...(-1e-30)).prefix(10_000) {
      let (left, right) = (lower(x), lower(-x))
      #expect(left.n == right.n && left.n == x)
      #expect(left.distribution.bitPattern == right.distribution.bitPattern)
      #expect(left.power.bitPattern == right.power.bitPattern)
    }
  }

  @Test func halfOfTheProbabilityIsBelowZero() {
    for zero: Real in [0, -0.0] { #expect(lower(zero).distribution == 0.5 && lower(zero).power == 1) }
  }

  @Test func nothingIsLeftBeyondTheEnd() {
    #expect(lower(Self.end).power > 0)
    for x in [Self.end.nextDown, 2 * Self.end, 1e30, -.greatestFiniteMagnitude, .infinity, -.infinity] {
      #expect(lower(x).power == 0 && lower(x).distribution == 0 && lower(x).n == Self.end)
    }
  }

  @Test func notANumberStays() {
    for x in [Real.nan, -.nan] { #expect(lower(x).distribution.isNaN && lower(x).n.isNaN) }
  }
}
