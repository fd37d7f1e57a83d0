import Foundation

/// Mean and standard deviation of a few numbers, as a table writes them.
struct Statistic: Equatable {
  /// x̄; 0 of none.
  let mean: Double
  /// √(Σ (x − x̄)² / (n − 1)), the deviation of the sample; `nil` of fewer than two numbers.
  let deviation: Double?
  /// n
  let count: Int

  /// Of some numbers.
  init(_ values: [Double]) {
    count = values.count
    let mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = values.count < 2 ? nil : (squares / Double(values.count - 1)).squareRoot()
  }

  /// `96.88 ± 1.20`; the mean alone of one number.
  func text(decimals: Int = 2) -> String {
    let format = "%.\(decimals)f"
    return String(format: format, mean) + (deviation.map { " ± " + String(format: format, $0) } ?? "")
  }
}
