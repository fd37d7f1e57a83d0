import Foundation
import Tensor

/// Round numbers along an axis.
enum Ticks {
  /// Multiples of 1, 2 or 5 times a power of ten, two to seven of them, from the last that is not above `low` to the
  /// first that is not below `high`.
  ///
  /// - finest: the smallest distance between two, if all values are equal.
  static func covering(_ low: Double, _ high: Double, finest: Double = 0.01) -> [Double] {
    require(low.isFinite && high.isFinite && low <= high, "Ticks: expected finite bounds, found \(low) to \(high)")
    // Values that agree in nine digits are spaced by their last digits.
    let span = max(high - low, 5e-9 * max(abs(low), abs(high)))
    let step = max(finest, roundedUp(span / 5))
    let (first, last) = ((low / step + 1e-9).rounded(.down), (high / step - 1e-9).rounded(.up))
    return (0...max(1, Int(last - first))).map { (first + Double($0)) * step }
  }

  /// The smallest of 1, 2 and 5 times a power of ten that is not below `number`.
  private static func roundedUp(_ number: Double) -> Double {
    guard number > 1e-12 else { return 0 }
    let power = pow(10, log10(number).rounded(.down))
    // Decimal fractions are not exact: 0.2 must not become 0.5 for its last bit.
    return [1, 2, 5, 10].map { $0 * power }.first { number <= $0 * (1 + 1e-9) } ?? 10 * power
  }

  /// 0.25 → "0.25", 100000 → "100,000"
  static func text(_ tick: Double) -> String {
    abs(tick) >= 10_000 && abs(tick) < 1e15 ? grouped(Int(tick)) : String(format: "%g", tick)
  }
}
