import Foundation
import Reference

extension CauseSearch {
  /// One nonlinearity in place of another, element by element.
  ///
  /// Each element of the reference is f of some x, of at most two as f falls to its minimum and then rises; the
  /// submission has g of one of them, for all elements.
  func byActivation() -> String? {
    guard submission.values.count > 2, submission.values.count <= 1 << 16 else { return nil }
    // Equal or nearly equal elements say nothing: one in two has to lie where the functions differ.
    let s = submission.values
    let telling = s.indices.count { tolerance.error(s[$0], at: $0) > tolerance.relative }
    guard 2 * telling > s.count else { return nil }
    for wanted in Self.activations {
      for found in Self.activations where found.name != wanted.name {
        let repaired = zip(submission.values, reference.values).map { s, r in
          let near = wanted.arguments(of: r).map(found.value).min { abs($0 - s) < abs($1 - s) }
          // What is f of no x stays wrong.
          return near.map { r + (s - $0) } ?? .infinity
        }
        if tolerance.accepts(repaired, slack: 16) { return "\(found.name) in place of \(wanted.name)" }
      }
    }
    return nil
  }

  /// A nonlinearity with one minimum.
  private struct Curve: Sendable {
    let name: String
    /// Where the minimum is.
    let lowest: Double
    let value: @Sendable (Double) -> Double

    /// The x of a value: one to the right of the minimum, and one to its left for values below 0.
    func arguments(of y: Double) -> [Double] {
      guard y >= value(lowest), y.isFinite else { return [] }
      let right = root(y, from: lowest, to: max(1, y + 1))
      return y < 0 ? [right, root(y, from: lowest, to: -40)] : [right]
    }

    /// Bisection between the minimum and a point beyond the root.
    private func root(_ y: Double, from low: Double, to high: Double) -> Double {
      var (low, high) = (low, high)
      for _ in 0..<200 {
        let middle = (low + high) / 2
        if value(middle) < y { low = middle } else { high = middle }
      }
      return high
    }
  }

  private static let activations = [
    Curve(name: "GELU", lowest: -0.7517915, value: { gelu(.number($0)).values[0] }),
    Curve(name: "QuickGELU", lowest: -0.7511542, value: { quickGELU(.number($0)).values[0] }),
  ]
}
