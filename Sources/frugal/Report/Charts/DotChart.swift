/// A dot per row over a common axis, with its interval, a small ring for each single value, and a line to compare with.
///
/// Unlike bars, dots may leave out 0, so that close values are told apart.
struct DotChart {
  struct Row {
    var name: String
    var value: Double
    var interval: ClosedRange<Double>
    /// The values whose mean it is; none for one.
    var singles: [Double] = []
  }

  var title: String
  /// The quantity drawn, with its unit.
  var label: String
  /// From top to bottom.
  var rows: [Row]
  /// The line, and its name.
  var reference: (name: String, value: Double)?
  var text: (Double) -> String = tenths

  private static let (width, top, rowHeight) = (440.0, 44.0, 24.0)

  /// The chart.
  var svg: String { picture.text }

  /// The chart, for use as a part of another one or as a file.
  var picture: SVG {
    let values = rows.flatMap { [$0.value, $0.interval.lowerBound, $0.interval.upperBound] + $0.singles }
    let all = values + [reference?.value].compactMap { $0 }
    let ticks = Ticks.covering(max(0, all.min() ?? 0), min(100, max(all.max() ?? 100, 0)), finest: 0.1)
    let (first, last) = (ticks[0], ticks[ticks.count - 1])
    let left = 16 + min(180, max(30, rows.map { SVG.estimatedWidth(SVG.shortened($0.name, to: 26)) }.max() ?? 30))
    let right = 20 + SVG.estimatedWidth(text(100))
    let plotWidth = Self.width - left - right
    let bottom = Self.top + Double(rows.count) * Self.rowHeight + 4
    func x(_ value: Double) -> Double { left + plotWidth * min(max((value - first) / (last - first), 0), 1) }
    var svg = SVG(
      width: Self.width, height: bottom + (reference == nil ? 24 : 42), title: title,
      description: "\(label): " + rows.map(description).joined(separator: "; ")
        + (reference.map { "; \($0.name) \(text($0.value))" } ?? ""))
    svg.text(title, 8, 16, size: 13, isBold: true)
    svg.text(label, 8, 34, isSoft: true)
    for tick in ticks {
      svg.line(x(tick), Self.top, x(tick), bottom)
      svg.text(Ticks.text(tick.rounded(to: 2)), x(tick), bottom + 16, anchor: "middle")
    }
    if let reference {
      let at = SVG.number(x(reference.value))
      svg.add(
        "<path d=\"M\(at) \(SVG.number(Self.top))V\(SVG.number(bottom))\" class=\"line s1\" stroke=\"#d55e00\" "
          + "stroke-width=\"1.5\" stroke-dasharray=\"5 3\" fill=\"none\"/>")
      svg.text("┆ \(reference.name) \(text(reference.value))", left, bottom + 34, isSoft: true)
    }
    for (index, row) in rows.enumerated() {
      draw(row, Self.top + (Double(index) + 0.5) * Self.rowHeight, left, &svg, x)
    }
    return svg
  }

  private func draw(_ row: Row, _ y: Double, _ left: Double, _ svg: inout SVG, _ x: (Double) -> Double) {
    svg.text(SVG.shortened(row.name, to: 26), left - 8, y + 4, anchor: "end")
    let (low, high) = (x(row.interval.lowerBound), x(row.interval.upperBound))
    svg.add(
      "<path d=\"M\(SVG.number(low)) \(SVG.number(y))H\(SVG.number(high))M\(SVG.number(low)) \(SVG.number(y - 4))v8"
        + "M\(SVG.number(high)) \(SVG.number(y - 4))v8\" class=\"error\" stroke=\"#222\" fill=\"none\" "
        + "stroke-width=\"1.2\"/>")
    for single in row.singles {
      svg.add(
        "<circle cx=\"\(SVG.number(x(single)))\" cy=\"\(SVG.number(y))\" r=\"3\" class=\"line s0\" stroke=\"#0072b2\" "
          + "fill=\"none\"/>")
    }
    svg.add(
      "<circle cx=\"\(SVG.number(x(row.value)))\" cy=\"\(SVG.number(y))\" r=\"4.5\" class=\"fill s0\" "
        + "fill=\"#0072b2\"><title>\(description(row).escaped)</title></circle>")
    svg.text(text(row.value), Self.width - 8, y + 4, size: 11, anchor: "end")
  }

  private func description(_ row: Row) -> String {
    "\(row.name) \(text(row.value)) (\(text(row.interval.lowerBound)) to \(text(row.interval.upperBound)))"
  }
}
