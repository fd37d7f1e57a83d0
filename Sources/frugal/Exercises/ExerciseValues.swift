import Reference
import Tensor

/// The matrices of an exercise by name: a number is 1 × 1, a vector one row.
struct ExerciseValues: Sendable {
  private var matrices: [String: Matrix]

  init(_ matrices: [String: Matrix]) { self.matrices = matrices }

  /// A matrix that is there.
  subscript(name: String) -> Matrix {
    guard let matrix = matrices[name] else {
      trap("ExerciseValues: expected a tensor \(name), found none")
    }
    return matrix
  }

  mutating func set(_ name: String, _ matrix: Matrix) { matrices[name] = matrix }

  /// The value of a number.
  func number(_ name: String) -> Double { self[name].values[0] }

  /// Class labels, each in 0 ..< classes whatever a file says.
  func labels(_ name: String, below classes: Int) -> [Int] {
    self[name].values.map { $0 > 0 ? Int(min($0, Double(classes - 1))) : 0 }
  }
}

extension Matrix {
  /// A number.
  static func number(_ value: Double) -> Matrix { Matrix(1, 1, [value]) }

  /// Rows and columns exchanged.
  var transposed: Matrix {
    Matrix(columns, rows, (0..<columns).flatMap { column in (0..<rows).map { self[$0, column] } })
  }

  /// A function of every row, as a vector.
  func rowwise(_ function: ([Double]) -> Double) -> Matrix {
    Matrix(row: (0..<rows).map { function(row($0)) })
  }

  /// The columns of a range.
  func part(_ range: Range<Int>) -> Matrix {
    Matrix(rows, range.count, (0..<rows).flatMap { Array(row($0)[range]) })
  }

  /// 1 where a condition on two numbers holds, else 0.
  func indicator(_ other: Matrix, _ condition: (Double, Double) -> Bool) -> Matrix {
    zip(other) { condition($0, $1) ? 1 : 0 }
  }

  /// The row of every label with its class as 1, subtracted.
  func subtractingLabels(_ labels: [Int]) -> Matrix {
    var result = self
    for (row, label) in labels.enumerated() { result[row, label] -= 1 }
    return result
  }
}
