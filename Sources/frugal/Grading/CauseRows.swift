import Foundation

extension CauseSearch {
  /// Mistakes of normalisation: a factor of each row, or the other axis.
  func byRows() -> String? {
    let (s, r, shape) = (submission.values, reference.values, reference.shape)
    guard shape.count > 1, let width = shape.last, width > 1, s.count > width else { return nil }
    let slack = max(64 * tolerance.relative, 1e-9)
    func isOne(_ x: Double) -> Bool { abs(x - 1) <= slack }
    let rows = stride(from: 0, to: s.count, by: width).map { $0..<$0 + width }
    let sum: (Range<Int>, [Double]) -> Double = { range, x in range.reduce(0) { $0 + x[$1] } }
    let norm: (Range<Int>, [Double]) -> Double = { range, x in range.reduce(0) { $0 + x[$1] * x[$1] }.squareRoot() }
    func divided(_ divisor: (Range<Int>, [Double]) -> Double) -> [Double] {
      rows.flatMap { range in
        let divisor = divisor(range, s)
        return range.map { s[$0] / divisor }
      }
    }
    if rows.allSatisfy({ isOne(norm($0, r)) }), tolerance.accepts(divided(norm), slack: 16) {
      return "rows are not divided by their norm"
    }
    if rows.allSatisfy({ isOne(sum($0, r)) }), tolerance.accepts(divided(sum), slack: 16) {
      return "rows are not divided by their sum"
    }
    if let cause = otherAxis(width: width, rows: rows.count, slack: slack) { return cause }
    // Each row is a multiple of its own: that of its largest element.
    var factors: [Double] = []
    for range in rows {
      guard let index = range.max(by: { abs(r[$0]) < abs(r[$1]) }), r[index] != 0, s[index] != 0 else { return nil }
      factors.append(s[index] / r[index])
    }
    let repaired = zip(rows, factors).flatMap { range, factor in range.map { s[$0] / factor } }
    guard tolerance.accepts(repaired, slack: 16) else { return nil }
    return "each row has a factor of its own, as if rows were not normalised, or once too often"
  }

  /// Probabilities of the columns in place of the rows: s/r is a product of a number per row and one per column.
  private func otherAxis(width: Int, rows: Int, slack: Double) -> String? {
    let (s, r) = (submission.values, reference.values)
    guard reference.shape.count == 2, rows > 1, s.allSatisfy({ $0 > 0 }), r.allSatisfy({ $0 > 0 }) else { return nil }
    func isOne(_ x: Double) -> Bool { abs(x - 1) <= slack }
    let hasRows = (0..<rows).allSatisfy { row in isOne((0..<width).reduce(0) { $0 + r[row * width + $1] }) }
    let hasColumns = (0..<width).allSatisfy { column in isOne((0..<rows).reduce(0) { $0 + s[$1 * width + column] }) }
    guard hasRows, hasColumns else { return nil }
    let ratio = zip(s, r).map { $0 / $1 }
    for row in 1..<rows {
      for column in 1..<width {
        let cross = ratio[row * width + column] * ratio[0] / (ratio[row * width] * ratio[column])
        guard isOne(cross) else { return nil }
      }
    }
    return "normalised over axis 0 in place of axis 1"
  }
}
