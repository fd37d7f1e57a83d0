import Foundation

/// Small matrices with their numbers: blue above 0, orange below, the darker the larger within its matrix.
struct MatrixChart {
  /// A matrix, or a number as one of a single cell.
  struct Item {
    /// The line above it.
    var label: String
    var rows: [[Double]]
  }

  var title: String
  var items: [Item]

  private static let (width, margin, cellWidth, cellHeight) = (440.0, 8.0, 76.0, 24.0)

  /// The drawing.
  var picture: SVG {
    let places = places
    let bottom = places.map { $0.y + Self.height(of: $0.item) }.max() ?? Self.margin
    var svg = SVG(
      width: Self.width, height: 34 + bottom + 22, title: title,
      description: items.map { "\($0.label): \(Self.text($0.rows))" }.joined(separator: "; "))
    svg.text(title, Self.margin, 20, size: 13, isBold: true)
    for place in places { draw(place.item, place.x, 34 + place.y, into: &svg) }
    svg.text("blue above 0, orange below; darker is larger", Self.margin, 34 + bottom + 14, size: 11, isSoft: true)
    return svg
  }

  /// From left to right, as many in a line as fit.
  private var places: [(item: Item, x: Double, y: Double)] {
    var (places, x, y, tallest) = ([(item: Item, x: Double, y: Double)](), Self.margin, 0.0, 0.0)
    for item in items {
      let width = Self.width(of: item)
      if x > Self.margin, x + width > Self.width - Self.margin {
        (x, y, tallest) = (Self.margin, y + tallest, 0)
      }
      places.append((item, x, y))
      x += width + 20
      tallest = max(tallest, Self.height(of: item))
    }
    return places
  }

  private static func width(of item: Item) -> Double {
    max(SVG.estimatedWidth(item.label), Double(item.rows.map(\.count).max() ?? 0) * cellWidth)
  }

  private static func height(of item: Item) -> Double { 20 + Double(item.rows.count) * cellHeight + 14 }

  private func draw(_ item: Item, _ x: Double, _ y: Double, into svg: inout SVG) {
    svg.text(item.label, x, y + 12)
    let largest = item.rows.joined().filter(\.isFinite).map(abs).max() ?? 0
    for (row, values) in item.rows.enumerated() {
      for (column, value) in values.enumerated() {
        let (left, top) = (x + Double(column) * Self.cellWidth, y + 20 + Double(row) * Self.cellHeight)
        let share = largest > 0 && value.isFinite ? abs(value) / largest : 0
        // At 0.6 of the colour black letters are still four times as dark as their ground.
        svg.add(
          "<rect x=\"\(SVG.number(left))\" y=\"\(SVG.number(top))\" width=\"\(SVG.number(Self.cellWidth - 2))\" "
            + "height=\"\(SVG.number(Self.cellHeight - 2))\" fill=\"\(ChartStyle.colour(value < 0 ? 1 : 0))\" "
            + "fill-opacity=\"\(String(format: "%.2f", 0.04 + 0.56 * share))\"/>")
        svg.text(Self.text(value), left + Self.cellWidth / 2 - 1, top + 15, anchor: "middle")
      }
    }
  }

  /// Four significant digits.
  private static func text(_ value: Double) -> String { value == 0 ? "0" : String(format: "%.4g", value) }

  private static func text(_ rows: [[Double]]) -> String {
    rows.map { $0.map(text).joined(separator: " ") }.joined(separator: ", ")
  }
}
