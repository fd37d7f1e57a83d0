/// The lower triangle L with L Lᵀ = A of a symmetric, positive definite matrix, in double precision.
struct CholeskyFactor {
  private let size: Int
  /// L, row by row; zeros above the diagonal.
  private var lower: [Double]

  /// - matrix: A, [size · size]; its lower triangle is read.
  /// - Returns: `nil` for a matrix that is not positive definite.
  init?(_ matrix: [Double], size: Int) {
    (self.size, lower) = (size, [Double](repeating: 0, count: size * size))
    for row in 0..<size {
      for column in 0...row {
        var sum = matrix[row * size + column]
        for k in 0..<column { sum -= lower[row * size + k] * lower[column * size + k] }
        if row == column {
          guard sum > 0 else { return nil }
          lower[row * size + row] = sum.squareRoot()
        } else {
          lower[row * size + column] = sum / lower[column * size + column]
        }
      }
    }
  }

  /// A⁻¹ b, by L y = b and Lᵀ x = y.
  func solving(_ b: [Double]) -> [Double] {
    var x = b
    for row in 0..<size {
      for k in 0..<row { x[row] -= lower[row * size + k] * x[k] }
      x[row] /= lower[row * size + row]
    }
    for row in (0..<size).reversed() {
      x[row] /= lower[row * size + row]
      for k in 0..<row { x[k] -= lower[row * size + k] * x[row] }
    }
    return x
  }
}
