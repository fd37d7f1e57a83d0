import Foundation

/// 95 % intervals of a share, such as an accuracy, from a count.
package enum Proportion {
  /// z with P(|Z| ≤ z) = 0.95 of a standard normal variable.
  private static let z = 1.959963984540054

  /// Wilson's score interval of p = share, in n trials (Wilson 1927):
  ///
  ///     (p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n)
  ///
  /// - share: 0 to 1; it need not be a whole number of n-ths, as a mean over seeds is not.
  package static func wilson(_ share: Double, of count: Int) -> ClosedRange<Double> {
    guard count > 0, (0...1).contains(share) else { return 0...1 }
    let n = Double(count)
    let (middle, scale) = (share + z * z / (2 * n), 1 + z * z / n)
    let half = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    return max(0, (middle - half) / scale)...min(1, (middle + half) / scale)
  }

  /// The exact interval of x of n (Clopper and Pearson 1934): the shares θ under which neither x or more nor x or fewer
  /// have a probability below 2.5 %.
  package static func exact(_ x: Int, of n: Int) -> ClosedRange<Double> {
    guard n > 0, (0...n).contains(x) else { return 0...1 }
    let low = x == 0 ? 0 : solution { tail(x, of: n, $0) < 0.025 }
    let high = x == n ? 1 : 1 - solution { tail(n - x, of: n, $0) < 0.025 }
    return low...max(low, high)
  }

  /// The share up to which a property holds that small shares have and large ones lack.
  private static func solution(_ holds: (Double) -> Bool) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<50 {
      let middle = (low + high) / 2
      if holds(middle) { low = middle } else { high = middle }
    }
    return low
  }

  /// P(X ≥ x) of a binomial X with n trials, term by term from the largest exponent of each.
  private static func tail(_ x: Int, of n: Int, _ share: Double) -> Double {
    guard share > 0 else { return 0 }
    guard share < 1 else { return 1 }
    let (win, loss) = (log(share), log1p(-share))
    // log of n over x, then of each next one by n over (k + 1) = n over k · (n − k) / (k + 1).
    var choices = 0.0
    for k in 0..<x { choices += log(Double(n - k)) - log(Double(k + 1)) }
    var sum = 0.0
    for k in x...n {
      let logarithm: Double = choices + Double(k) * win + Double(n - k) * loss
      sum += exp(logarithm)
      choices += log(Double(n - k)) - log(Double(k + 1))
    }
    return min(1, sum)
  }
}
