import Foundation

/// The minimum of a smooth function by L-BFGS (Liu and Nocedal 1989), with a line search for the strong Wolfe
/// conditions (Nocedal and Wright 2006, algorithms 3.5, 3.6 and 7.4; Linear probe (d)).
struct LBFGS {
  /// The largest number of iterations.
  var iterations = 1000
  /// The largest element of the gradient at which the search ends.
  var tolerance = 1e-4
  /// The search ends when the value falls by less than this share of itself.
  var resolution = 1e-14
  /// The number of earlier steps that stand for the curvature.
  var memory = 10

  /// c₁ and c₂ of the Wolfe conditions.
  private static let (decrease, curvature) = (1e-4, 0.9)

  /// A point of a line search.
  private struct Trial {
    var step, value, slope: Double
    var point, gradient: [Double]
  }

  /// The point where the search ended, from a start.
  ///
  /// - function: value and gradient at a point.
  func minimum(
    from start: [Double], of function: (_ point: [Double]) -> (value: Double, gradient: [Double])
  ) -> [Double] {
    var x = start
    var (value, gradient) = function(x)
    var pairs: [(s: [Double], y: [Double], rho: Double)] = []
    for iteration in 0..<iterations {
      guard gradient.reduce(0, { max($0, abs($1)) }) > tolerance else { break }
      let direction = Self.direction(gradient, pairs)
      let slope = dot(direction, gradient)
      guard slope < 0 else { break }
      let first = iteration == 0 ? min(1, 1 / gradient.reduce(0) { $0 + abs($1) }) : 1
      guard
        let found = Self.search(x, value, slope, direction, first: first, function)
      else { break }
      let s = zip(found.point, x).map { $0 - $1 }
      let y = zip(found.gradient, gradient).map { $0 - $1 }
      let product = dot(s, y)
      if product > 1e-10 * dot(y, y) {
        pairs.append((s, y, 1 / product))
        if pairs.count > memory { pairs.removeFirst() }
      }
      let gain = value - found.value
      (x, value, gradient) = (found.point, found.value, found.gradient)
      if gain <= resolution * abs(value) { break }
    }
    return x
  }

  /// −H g by the two loops.
  private static func direction(_ gradient: [Double], _ pairs: [(s: [Double], y: [Double], rho: Double)]) -> [Double] {
    var q = gradient.map { -$0 }
    var alphas: [Double] = []
    for pair in pairs.reversed() {
      let alpha = pair.rho * dot(pair.s, q)
      alphas.append(alpha)
      for index in q.indices { q[index] -= alpha * pair.y[index] }
    }
    if let last = pairs.last {
      let scale = 1 / (last.rho * dot(last.y, last.y))
      for index in q.indices { q[index] *= scale }
    }
    for (pair, alpha) in zip(pairs, alphas.reversed()) {
      let beta = pair.rho * dot(pair.y, q)
      for index in q.indices { q[index] += (alpha - beta) * pair.s[index] }
    }
    return q
  }

  /// A step that satisfies both conditions, or the lowest of those tried if none does; `nil` where none is lower.
  private static func search(
    _ x: [Double], _ value: Double, _ slope: Double, _ direction: [Double], first: Double,
    _ function: ([Double]) -> (value: Double, gradient: [Double])
  ) -> Trial? {
    func trial(_ step: Double) -> Trial {
      let point = zip(x, direction).map { $0 + step * $1 }
      let (value, gradient) = function(point)
      return Trial(step: step, value: value, slope: dot(gradient, direction), point: point, gradient: gradient)
    }
    var best: Trial?
    func isTooHigh(_ trial: Trial) -> Bool { !(trial.value <= value + decrease * trial.step * slope) }
    var low = Trial(step: 0, value: value, slope: slope, point: x, gradient: [])
    var high: Trial?
    var step = first
    for _ in 0..<25 {
      let next = trial(step)
      if next.value < best?.value ?? value { best = next }
      if isTooHigh(next) || next.value >= low.value && low.step > 0 {
        high = next
      } else if abs(next.slope) <= -curvature * slope {
        return next
      } else if high.map({ next.slope * ($0.step - low.step) >= 0 }) ?? (next.slope >= 0) {
        (high, low) = (low, next)
      } else {
        low = next
      }
      // The middle of a bracket, twice as far without one.
      step = high.map { ($0.step + low.step) / 2 } ?? 2 * step
    }
    return best
  }
}

/// Σ aᵢ bᵢ, in order.
private func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices { sum += a[index] * b[index] }
  return sum
}
