import Foundation

extension Random {
  /// A tensor of values from the normal distribution N(0, σ²), value i from value i of `fineUniform`.
  ///
  /// The quantile of a uniform number (Wichura 1988, algorithm AS 241, PPND16; relative error about 1e-16).
  public func normal(_ shape: Shape, deviation: Double) -> Tensor {
    Tensor(shape) { numbers in
      Parallel.forEachRange(shape.count, grain: 1 << 12) { range in
        for index in range { numbers[index] = Real(deviation * Self.quantile(fineUniform(at: UInt64(index)))) }
      }
    }
  }

  /// x with P(X ≤ x) = p for X of N(0, 1); finite for p = 0 too, which counts as the smallest value above it.
  static func quantile(_ p: Double) -> Double {
    let q = p - 0.5
    if abs(q) <= 0.425 {
      let r = 0.180625 - q * q
      return q * polynomial(Coefficients.centre, r) / polynomial(Coefficients.centreDivisor, r)
    }
    let tail = (-log(max(min(p, 1 - p), 0x1p-54))).squareRoot()
    let x =
      tail <= 5
      ? polynomial(Coefficients.tail, tail - 1.6) / polynomial(Coefficients.tailDivisor, tail - 1.6)
      : polynomial(Coefficients.farTail, tail - 5) / polynomial(Coefficients.farTailDivisor, tail - 5)
    return q < 0 ? -x : x
  }

  /// The highest power first.
  private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
    coefficients.reduce(0) { $0 * x + $1 }
  }

  /// The tables of AS 241.
  private enum Coefficients {
    static let centre = [
      2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
      1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080,
    ]
    static let centreDivisor = [
      5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
      5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1,
    ]
    static let tail = [
      7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
      3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734,
    ]
    static let tailDivisor = [
      1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
      6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1,
    ]
    static let farTail = [
      2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
      2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720,
    ]
    static let farTailDivisor = [
      2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
      1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1,
    ]
  }
}
