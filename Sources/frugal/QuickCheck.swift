import Foundation
import Tensor

/// A kernel compared with its plain definition in double precision: enough to notice a wrong build in a second.
struct QuickCheck: Encodable {
  let name: String
  /// The largest difference, relative to what its rounding can be as large as.
  let error: Double
  /// The largest error that rounding explains.
  let bound: Double
  var passed: Bool { error <= bound }

  private enum CodingKeys: CodingKey { case name, error, bound, passed }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(error.isFinite ? error : nil, forKey: .error)
    try container.encode(bound, forKey: .bound)
    try container.encode(passed, forKey: .passed)
  }

  /// All of them.
  static func all() -> [QuickCheck] { [product(), softmax(), norm()] }

  /// Values between −1 and 1, by index.
  private static func values(_ shape: Shape, seed: Double) -> Tensor {
    Tensor(shape) { output in
      for index in 0..<shape.count { output[index] = Real(sin(seed + 1.7 * Double(index))) }
    }
  }

  private static let epsilon = Double(Real.ulpOfOne)

  /// y = x Wᵀ + b; a sum of k products rounds by at most k ε of Σ|x w|.
  private static func product() -> QuickCheck {
    let (rows, inner, columns) = (67, 129, 65)
    let (x, w, b) = (values([rows, inner], seed: 1), values([columns, inner], seed: 2), values([columns], seed: 3))
    let y = Variable(x).linear(Variable(w), bias: Variable(b)).value.values
    let (xs, ws, bs) = (x.values, w.values, b.values)
    var worst = 0.0
    for row in 0..<rows {
      for column in 0..<columns {
        var (sum, size) = (Double(bs[column]), abs(Double(bs[column])))
        for index in 0..<inner {
          let term = Double(xs[row * inner + index]) * Double(ws[column * inner + index])
          (sum, size) = (sum + term, size + abs(term))
        }
        worst = max(worst, abs(Double(y[row * columns + column]) - sum) / size)
      }
    }
    return QuickCheck(name: "linear", error: worst, bound: Double(inner + 1) * epsilon)
  }

  /// e^xᵢ / Σ e^xⱼ, whose sum rounds by at most its number of terms.
  private static func softmax() -> QuickCheck {
    let (rows, width) = (33, 101)
    let x = values([rows, width], seed: 4)
    let y = Variable(x).softmax().value.values
    let xs = x.values
    var worst = 0.0
    for row in 0..<rows {
      let powers = (0..<width).map { exp(Double(xs[row * width + $0])) }
      let sum = powers.reduce(0, +)
      for index in 0..<width { worst = max(worst, abs(Double(y[row * width + index]) * sum / powers[index] - 1)) }
    }
    return QuickCheck(name: "softmax", error: worst, bound: Double(width + 8) * epsilon)
  }

  /// (x − mean x) / √(var x + ε) with γ = 1 and β = 0, relative to the largest value it can have, √width.
  private static func norm() -> QuickCheck {
    let (rows, width) = (33, 101)
    let x = values([rows, width], seed: 5)
    let ones = Tensor([width], repeating: 1)
    let y = Variable(x).layerNorm(gamma: Variable(ones), beta: Variable(Tensor.zeros([width])), epsilon: 1e-5)
      .value.values
    let xs = x.values
    var worst = 0.0
    for row in 0..<rows {
      let line = (0..<width).map { Double(xs[row * width + $0]) }
      let mean = line.reduce(0, +) / Double(width)
      let variance = line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      for index in 0..<width {
        let wanted = (line[index] - mean) / (variance + 1e-5).squareRoot()
        worst = max(worst, abs(Double(y[row * width + index]) - wanted) / Double(width).squareRoot())
      }
    }
    return QuickCheck(name: "layer norm", error: worst, bound: Double(width) * epsilon)
  }

  /// Billions of multiplications and additions a second in a product of 512 × 512 × 512, the best of a few.
  static func gigaflops() -> Double {
    let size = 512
    let (x, w) = (Variable(values([size, size], seed: 6)), Variable(values([size, size], seed: 7)))
    let zero = Variable(Tensor.zeros([size]))
    let end = Date().addingTimeInterval(0.5)
    var best = Double.infinity
    repeat {
      let started = DispatchTime.now().uptimeNanoseconds
      _ = x.linear(w, bias: zero).value
      best = min(best, Double(DispatchTime.now().uptimeNanoseconds - started))
    } while Date() < end
    return 2 * Double(size * size * size) / best
  }
}
