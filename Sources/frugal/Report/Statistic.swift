import Foundation

/// Mean and standard deviation of a few values, as printed in a table.
struct Statistic: Equatable {
  /// x̄; 0 of none.
  let mean: Double
  /// √(Σ (x − x̄)² / (n − 1)), the sample standard deviation; `nil` for fewer than two values.
  let deviation: Double?
  /// n
  let count: Int

  /// The statistic of the given values.
  init(_ values: [Double]) {
    count = values.count
    let mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = values.count < 2 ? nil : (squares / Double(values.count - 1)).squareRoot()
  }

  /// s / √n, the standard error of the mean; `nil` for fewer than two values.
  var standardError: Double? { deviation.map { $0 / Double(count).squareRoot() } }

  /// `96.9 ± 1.2`; only the mean for one value.
  func text(decimals: Int = 1) -> String {
    let format = "%.\(decimals)f"
    return String(format: format, mean) + (deviation.map { " ± " + String(format: format, $0) } ?? "")
  }

  /// `12.3 ± 0.4`, `0.31 ± 0.02`; seconds too few for two decimals are `< 0.01`.
  var secondsText: String {
    if mean > 0, mean < 0.005 { return "< 0.01" }
    return text(decimals: mean < 1 ? 2 : 1)
  }
}

/// A percentage as the report prints it: a test split of a thousand images tells tenths apart, and no more.
///
/// What rounds to zero has no sign.
func tenths(_ value: Double) -> String {
  let text = String(format: "%.1f", value)
  return text == "-0.0" ? "0.0" : text
}
