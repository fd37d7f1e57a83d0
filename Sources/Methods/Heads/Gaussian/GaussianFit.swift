import Foundation
import Tensor

/// Gaussian discriminant analysis of unit features, with one covariance for all classes (Wang et al., ICLR 2024).
///
///     μ_c = mean of class c,   Σ = Σ_i (x_i − μ_{y_i})(x_i − μ_{y_i})ᵀ / (n − 1)      (GDA (a), (b))
///     A = d [(n − 1) Σ + tr(Σ) I]⁻¹                                  (eq. 5; GDA (c))
///     w_c = A μ_c,   b_c = −log C − ½ μ_cᵀ A μ_c                      (eq. 4; GDA (d))
///
/// A is the empirical Bayes ridge estimate of the precision (Kubokawa and Srivastava 2008); d is the width. The means
/// are not normalised. All is calculated in double precision.
struct GaussianFit {
  /// W: [classes, width]
  let weight: Tensor
  /// b: [classes]
  let bias: Tensor

  /// - Throws: `RunError` for a class without examples, and where all examples of every class are the same.
  init(_ examples: HeadExamples, classes: Int) throws(RunError) {
    let (n, d) = (examples.labels.count, examples.features.shape.width)
    let labels = examples.labels.map { Int($0) }
    let unit = examples.unitFeatures.values.map { Double($0) }
    var (means, counts) = ([Double](repeating: 0, count: classes * d), [Int](repeating: 0, count: classes))
    for (row, label) in labels.enumerated() {
      counts[label] += 1
      for k in 0..<d { means[label * d + k] += unit[row * d + k] }
    }
    if let empty = counts.firstIndex(of: 0) {
      throw RunError("gda: expected training images of every class, found none of class \(empty)")
    }
    for c in 0..<classes { for k in 0..<d { means[c * d + k] /= Double(counts[c]) } }
    // Column by column, so that the products below run along memory.
    var centred = [Double](repeating: 0, count: n * d)
    for row in 0..<n { for k in 0..<d { centred[k * n + row] = unit[row * d + k] - means[labels[row] * d + k] } }
    var matrix = Self.scatter(centred, rows: n, width: d)
    let trace = (0..<d).reduce(0) { $0 + matrix[$1 * d + $1] } / Double(max(1, n - 1))
    for k in 0..<d { matrix[k * d + k] += trace }
    guard let factor = CholeskyFactor(matrix, size: d) else {
      throw RunError("gda: expected images that differ within a class, found none (random crops make views of one)")
    }
    let solutions = Parallel.map(classes) { c in
      factor.solving(Array(means[c * d..<(c + 1) * d])).map { $0 * Double(d) }
    }
    weight = Tensor([classes, d], solutions.joined().map { Real($0) })
    let biases = solutions.indices.map { (c: Int) -> Real in
      var square = 0.0
      for k in 0..<d { square += means[c * d + k] * solutions[c][k] }
      return Real(-log(Double(classes)) - 0.5 * square)
    }
    bias = Tensor([classes], biases)
  }

  /// (n − 1) Σ = Xᵀ X (GDA (b)), the lower triangle of [width · width], for the columns of X one after another.
  private static func scatter(_ columns: [Double], rows: Int, width: Int) -> [Double] {
    let lower = Parallel.map(width) { (i: Int) -> [Double] in
      columns.withUnsafeBytes { x in
        func load(_ column: Int, _ row: Int) -> SIMD8<Double> {
          x.loadUnaligned(fromByteOffset: 8 * (column * rows + row), as: SIMD8<Double>.self)
        }
        return (0...i).map { (j: Int) -> Double in
          var (sum, tail) = (SIMD8<Double>.zero, 0.0)
          let whole = rows / 8 * 8
          for row in stride(from: 0, to: whole, by: 8) { sum += load(i, row) * load(j, row) }
          for row in whole..<rows { tail += columns[i * rows + row] * columns[j * rows + row] }
          return sum.sum() + tail
        }
      }
    }
    var matrix = [Double](repeating: 0, count: width * width)
    for (i, row) in lower.enumerated() { for (j, value) in row.enumerated() { matrix[i * width + j] = value } }
    return matrix
  }
}
