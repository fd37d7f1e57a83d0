import Foundation
import Reference
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

  private static func matrix(_ tensor: Tensor) -> Matrix {
    Matrix(tensor.shape.rows, tensor.shape.width, tensor.values.map { Double($0) })
  }

  /// The largest |found − wanted| / scale.
  private static func error(_ found: Tensor, _ wanted: Matrix, scale: (_ index: Int) -> Double) -> Double {
    let found = found.values
    return found.indices.map { abs(Double(found[$0]) - wanted.values[$0]) / scale($0) }.reduce(0, max)
  }

  /// A sum of k products rounds by at most k ε of Σ|x w|.
  private static func product() -> QuickCheck {
    let inner = 129
    let (x, w, b) = (values([67, inner], seed: 1), values([65, inner], seed: 2), values([1, 65], seed: 3))
    let y = Variable(x).linear(Variable(w), bias: Variable(b.reshaped(to: [65]))).value
    func sizes(_ matrix: Matrix) -> Matrix { Matrix(matrix.rows, matrix.columns, matrix.values.map(abs)) }
    let (xs, ws, bs) = (matrix(x), matrix(w), matrix(b))
    let size = Reference.linear(sizes(xs), weight: sizes(ws), bias: sizes(bs)).values
    let worst = error(y, Reference.linear(xs, weight: ws, bias: bs)) { size[$0] }
    return QuickCheck(name: "linear", error: worst, bound: Double(inner + 1) * epsilon)
  }

  /// The sum of the exponentials rounds by at most its number of terms.
  private static func softmax() -> QuickCheck {
    let x = values([33, 101], seed: 4)
    let wanted = Reference.softmax(matrix(x))
    let worst = error(Variable(x).softmax().value, wanted) { wanted.values[$0] }
    return QuickCheck(name: "softmax", error: worst, bound: Double(101 + 8) * epsilon)
  }

  /// Relative to the largest value it can have, √width.
  private static func norm() -> QuickCheck {
    let width = 101
    let x = values([33, width], seed: 5)
    let (ones, zeros) = (Tensor([width], repeating: 1), Tensor.zeros([width]))
    let y = Variable(x).layerNorm(gamma: Variable(ones), beta: Variable(zeros), epsilon: 1e-5).value
    let wanted = Reference.layerNorm(
      matrix(x), scale: Matrix(1, width, repeating: 1), shift: Matrix(1, width), epsilon: 1e-5)
    let worst = error(y, wanted) { _ in Double(width).squareRoot() }
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
