import Foundation

/// The 95 % interval of a mean over a few seeds, by Student's distribution (1908):
///
///     x̄ ± t s/√n,   P(|T| ≤ t) = 0.95 of Student's T with n − 1 degrees of freedom
///
/// It says what other seeds may change, not what other test images may.
enum StudentInterval {
  /// t s/√n; `nil` for fewer than two values.
  static func half(_ statistic: Statistic) -> Double? {
    statistic.deviation.map { quantile(statistic.count - 1) * $0 / Double(statistic.count).squareRoot() }
  }

  /// t with P(|T| ≤ t) = 0.95, to ten digits, by bisection.
  static func quantile(_ freedom: Int) -> Double {
    var (low, high) = (0.0, 16.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if probability(middle, freedom) < 0.95 { low = middle } else { high = middle }
    }
    return low
  }

  /// P(|T| ≤ t), with θ = atan(t/√ν) (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4):
  ///
  ///     ν = 1:  2θ/π
  ///     odd:    2/π (θ + sin θ (cos θ + 2/3 cos³θ + … + (2·4…(ν−3))/(3·5…(ν−2)) cos^(ν−2) θ))
  ///     even:   sin θ (1 + 1/2 cos²θ + … + (1·3…(ν−3))/(2·4…(ν−2)) cos^(ν−2) θ)
  static func probability(_ t: Double, _ freedom: Int) -> Double {
    let angle = atan(t / Double(freedom).squareRoot())
    let isOdd = freedom % 2 == 1
    guard freedom > 1 else { return 2 * angle / .pi }
    var (term, sum) = (isOdd ? cos(angle) : 1, 0.0)
    var power = isOdd ? 1 : 0
    while power <= freedom - 2 {
      sum += term
      term *= Double(power + 1) / Double(power + 2) * cos(angle) * cos(angle)
      power += 2
    }
    return isOdd ? 2 / .pi * (angle + sin(angle) * sum) : sin(angle) * sum
  }
}
