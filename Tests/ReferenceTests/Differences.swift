import Foundation
import Reference
import Testing

/// Reproducible random numbers (SplitMix64, Steele et al. 2014), one stream per seed.
struct Numbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [0, 1).
  mutating func uniform(_ count: Int) -> [Double] { (0..<count).map { _ in Double.random(in: 0..<1, using: &self) } }

  /// Uniform in ± scale around a centre.
  mutating func matrix(_ rows: Int, _ columns: Int, scale: Double = 1, around centre: Double = 0) -> Matrix {
    Matrix(rows, columns, uniform(rows * columns).map { centre + scale * (2 * $0 - 1) })
  }
}

/// ⟨a, b⟩: makes a scalar of a result, for which b is the upstream gradient.
func inner(_ a: Matrix, _ b: Matrix) -> Double { a.zip(b) { $0 * $1 }.values.reduce(0, +) }

/// Gradients against central differences of a scalar function, for every element of every input.
///
///     ∂f/∂x ≈ (8 (f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h,   h = ½ ε^⅕ max(1, |x|) ≈ 4e-4
///
/// Truncation costs h⁴ f⁽⁵⁾/30 ≈ 1e-15 f⁽⁵⁾, rounding 1.5 ε |f|/h ≈ 1e-12 |f|. Errors are relative to the largest
/// gradient of the same input, or to a thousandth of the largest of all: the gradient of a key's bias is 0 by theory,
/// as it shifts all scores of a query alike, and its differences are rounding. Those are the worst seen, 2e-9; the
/// bound of 1e-8 leaves room for other numbers, and a wrong sign, factor or index is wrong by 1e-2 and more.
func expectDifferences(
  _ inputs: Parameters, _ gradients: Parameters, _ comment: String = "", function: (Parameters) -> Double
) {
  #expect(Set(inputs.keys) == Set(gradients.keys), "\(comment): one gradient per input")
  let largest = gradients.values.flatMap(\.values).map(abs).max() ?? 0
  #expect(largest > 0, "\(comment): gradients that are not all 0")
  for (name, x) in inputs {
    guard let gradient = gradients[name] else { continue }
    #expect(gradient.rows == x.rows && gradient.columns == x.columns, "\(comment) \(name): shape")
    let scale = max(gradient.values.map(abs).max() ?? 0, 1e-3 * largest)
    var (worst, place) = (0.0, 0)
    for k in x.values.indices {
      let h = 0.5 * pow(Double.ulpOfOne, 0.2) * max(1, abs(x.values[k]))
      func value(_ shift: Double) -> Double {
        var moved = inputs
        moved[name]?.values[k] += shift
        return function(moved)
      }
      let slope = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
      let error = abs(slope - gradient.values[k]) / scale
      // Written so that a NaN is an error.
      if !(error <= worst) { (worst, place) = (error, k) }
    }
    #expect(worst <= 1e-8, "\(comment) \(name), element \(place) of \(x.rows) × \(x.columns): relative error \(worst)")
  }
}

/// Equal up to a few roundings of double precision.
func expectEqual(_ found: [Double], _ wanted: [Double], tolerance: Double = 1e-13, _ comment: String = "") {
  #expect(found.count == wanted.count, "\(comment): count")
  for (k, pair) in zip(found, wanted).enumerated() {
    #expect(
      abs(pair.0 - pair.1) <= tolerance * max(1, abs(pair.1)), "\(comment): element \(k): \(pair.0), not \(pair.1)")
  }
}
