import Foundation
import Tensor

/// One training step of a paper on a toy, every quantity with the number of its equation: `frugal explain`.
struct Explanation: Sendable {
  /// The paper and its toy, in a few lines.
  let introduction: String
  /// The quantities in the order in which they are computed.
  let quantities: [Quantity]

  /// A quantity of the step.
  struct Quantity: Sendable {
    /// The number of its equation in `docs/methods`; empty for what is given.
    let equation: String
    /// Its symbol and formula: `W' = W ⊙ B`.
    let formula: String
    /// Its value, of rank 0, 1 or 2.
    let value: Tensor

    init(_ equation: String, _ formula: String, _ value: Tensor) {
      (self.equation, self.formula, self.value) = (equation, formula, value)
    }

    init(_ equation: String, _ formula: String, _ value: Double) { self.init(equation, formula, Tensor(Real(value))) }

    /// The symbol: what stands before the first equals sign.
    var symbol: String { formula.prefix { $0 != "=" }.trimmingCharacters(in: .whitespaces) }
  }

  /// The introduction, and a line per row of every quantity: number, formula, numbers aligned at the point.
  var text: String {
    let lines = quantities.flatMap { quantity -> [(equation: String, formula: String, numbers: [String])] in
      let width = quantity.value.shape.extents.last ?? 1
      let values = quantity.value.values
      return stride(from: 0, to: values.count, by: width).map { start in
        let numbers = values[start..<start + width].map { Self.number(Double($0)) }
        return start == 0 ? (quantity.equation, quantity.formula, numbers) : ("", "", numbers)
      }
    }
    let equationWidth = lines.map(\.equation.count).max() ?? 0
    let formulaWidth = lines.map(\.formula.count).max() ?? 0
    let numberWidth = lines.flatMap(\.numbers).map(\.count).max() ?? 0
    let rows = lines.map { line in
      let numbers = line.numbers.map { String(repeating: " ", count: numberWidth - $0.count) + $0 }
      return Self.padded(line.equation, equationWidth) + "  " + Self.padded(line.formula, formulaWidth) + "  "
        + numbers.joined(separator: "  ")
    }
    return introduction + "\n\n" + rows.joined(separator: "\n")
  }

  /// The same with the quantities whose formulas have the form of a pattern; all without patterns.
  ///
  /// - Throws: `UsageError` for a pattern of none.
  func only(_ patterns: [String]) throws(UsageError) -> Explanation {
    let patterns = patterns.map { NamePattern($0) }
    for pattern in patterns where !quantities.contains(where: { pattern.matches($0.formula) }) {
      throw UsageError("--only", expected: "a pattern of formulas that are shown", found: "\"\(pattern.text)\"")
    }
    let chosen = quantities.filter { quantity in patterns.contains { $0.matches(quantity.formula) } }
    return Explanation(introduction: introduction, quantities: patterns.isEmpty ? quantities : chosen)
  }

  /// The quantities as matrices with coloured elements.
  func picture(titled title: String) -> SVG {
    MatrixChart(
      title: title,
      items: quantities.map { quantity in
        let values = quantity.value.values.map { Double($0) }
        let width = quantity.value.shape.extents.last ?? 1
        return MatrixChart.Item(
          label: (quantity.equation.isEmpty ? "" : quantity.equation + "  ") + quantity.formula,
          rows: stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) })
      }
    ).picture
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: width - text.count)
  }

  /// Six significant digits, zeros at the end cut; small numbers with an exponent.
  static func number(_ value: Double) -> String { value == 0 ? "0" : String(format: "%.6g", value) }
}

extension Explanation {
  /// A row of whole numbers.
  static func row(_ values: some Collection<some BinaryInteger>) -> Tensor {
    Tensor([values.count], values.map { Real($0) })
  }

  /// A matrix of two columns.
  static func matrix(_ values: [Real]) -> Tensor { Tensor([values.count / 2, 2], values) }
}
