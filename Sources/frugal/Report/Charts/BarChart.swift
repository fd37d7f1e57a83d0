/// Horizontal bars, one row per name: any number of rows stays legible, and so do long names.
struct BarChart {
  /// A length and its standard deviation; a name without one has no bar of the series.
  struct Bar {
    var value: Double
    var deviation: Double?
  }

  /// Bars of one colour, one per row.
  struct Series {
    var name: String
    var bars: [Bar?]
  }

  var title: String
  /// The quantity drawn, with its unit.
  var label: String
  /// The names of the rows.
  var rows: [String]
  /// Bars that are not finite are skipped.
  var series: [Series]
  /// True if the bars of a row are stacked end to end instead of drawn below each other.
  var isStacked = false
  /// Formats a length as the label of its bar.
  var text: (Double) -> String = { Ticks.text($0.rounded(to: 2)) }

  private static let (width, top) = (440.0, 44.0)

  /// The chart.
  var svg: String { picture.text }

  /// The chart, for use as a part of another one.
  var picture: SVG {
    var chart = self
    for index in series.indices {
      chart.series[index].bars = series[index].bars.map { $0.flatMap { $0.value.isFinite ? $0 : nil } }
    }
    return chart.drawn
  }

  private var drawn: SVG {
    let values = series.flatMap { $0.bars.compactMap { $0 } }
    let largest = isStacked ? sums.max() ?? 0 : values.map { $0.value + ($0.deviation ?? 0) }.max() ?? 0
    let ticks = Ticks.covering(0, largest.isFinite ? max(0, largest) : 0)
    let left = 16 + min(180, max(30, rows.map { SVG.estimatedWidth(SVG.shortened($0, to: 26)) }.max() ?? 30))
    // Room for the label of the longest bar.
    let right = 14 + SVG.estimatedWidth(text(largest)) + (values.contains { $0.deviation != nil } ? 44 : 0)
    let plotWidth = Self.width - left - right
    let bar = series.count > 1 && !isStacked ? 13.0 : 15.0
    let rowHeight = (isStacked ? 1 : Double(max(1, series.count))) * (bar + 2) + 7
    let bottom = Self.top + Double(rows.count) * rowHeight + 4
    let names = series.count > 1 ? series.enumerated().map { ($1.name, $0) } : []
    let legend = Legend(names, width: Self.width - 20)
    var svg = SVG(
      width: Self.width, height: bottom + 26 + legend.height, title: title,
      description: "\(label): " + rows.indices.map { "\(rows[$0]) \(summary(of: $0))" }.joined(separator: "; "))
    func x(_ value: Double) -> Double { left + plotWidth * min(max(value, 0) / (ticks.last ?? 1), 1) }
    svg.text(title, 8, 16, size: 13, isBold: true)
    svg.text(label, 8, 34, isSoft: true)
    // Fewer labels if they would touch.
    let space = plotWidth / Double(ticks.count - 1)
    let every = space < SVG.estimatedWidth(Ticks.text(ticks[ticks.count - 1])) + 8 ? ticks.count - 1 : 1
    for (index, tick) in ticks.enumerated() {
      svg.line(x(tick), Self.top, x(tick), bottom, isAxis: index == 0)
      if index.isMultiple(of: every) { svg.text(Ticks.text(tick), x(tick), bottom + 16, anchor: "middle") }
    }
    for (row, name) in rows.enumerated() {
      let y = Self.top + Double(row) * rowHeight + 5
      svg.text(SVG.shortened(name, to: 26), left - 6, y + (rowHeight - 7) / 2 + 4, anchor: "end")
      if isStacked { drawStack(row, at: y, bar, into: &svg, x) } else { drawRow(row, at: y, bar, into: &svg, x) }
    }
    legend.draw(into: &svg, x: 10, y: bottom + 24) { series, x, y in
      Self.rectangle(x, y - 6, 22, 12, series, "")
    }
    return svg
  }

  private var sums: [Double] {
    rows.indices.map { row in series.reduce(0) { $0 + (row < $1.bars.count ? $1.bars[row]?.value ?? 0 : 0) } }
  }

  private func drawRow(_ row: Int, at y: Double, _ bar: Double, into svg: inout SVG, _ x: (Double) -> Double) {
    for (index, series) in series.enumerated() {
      guard row < series.bars.count, let found = series.bars[row] else { continue }
      let top = y + Double(index) * (bar + 2)
      svg.add(
        Self.rectangle(x(0), top, x(found.value) - x(0), bar, index, "\(rows[row]), \(series.name): \(text(found))"))
      var end = x(found.value)
      if let deviation = found.deviation, deviation > 0 {
        let (low, high, middle) = (x(found.value - deviation), x(found.value + deviation), top + bar / 2)
        let caps = [low, high].map { "M\(SVG.number($0)) \(SVG.number(middle - 4))v8" }.joined()
        svg.add(
          "<path d=\"M\(SVG.number(low)) \(SVG.number(middle))H\(SVG.number(high))\(caps)\" class=\"error\" "
            + "stroke=\"#222\" fill=\"none\" stroke-width=\"1.5\"/>")
        end = high
      }
      svg.text(text(found), end + 5, top + bar - 3, size: 11)
    }
  }

  private func drawStack(_ row: Int, at y: Double, _ bar: Double, into svg: inout SVG, _ x: (Double) -> Double) {
    var sum = 0.0
    for (index, series) in series.enumerated() {
      guard row < series.bars.count, let found = series.bars[row], found.value > 0 else { continue }
      let (from, to) = (x(sum), x(sum + found.value))
      svg.add(Self.rectangle(from, y, to - from, bar, index, "\(rows[row]), \(series.name): \(text(found.value))"))
      sum += found.value
    }
    svg.text(text(sum), x(sum) + 5, y + bar - 3, size: 11)
  }

  private static func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ series: Int, _ title: String
  ) -> String {
    let numbers = [x, y, width, height].map(SVG.number)
    return "<rect x=\"\(numbers[0])\" y=\"\(numbers[1])\" width=\"\(numbers[2])\" height=\"\(numbers[3])\" "
      + "class=\"fill \(ChartStyle.name(series))\" fill=\"\(ChartStyle.colour(series))\">"
      + (title.isEmpty ? "</rect>" : "<title>\(title.escaped)</title></rect>")
  }

  private func text(_ bar: Bar) -> String {
    text(bar.value) + (bar.deviation.map { " ± \(text($0))" } ?? "")
  }

  private func summary(of row: Int) -> String {
    series.compactMap { series in
      guard row < series.bars.count, let bar = series.bars[row] else { return nil }
      return (self.series.count > 1 ? "\(series.name) " : "") + text(bar)
    }.joined(separator: ", ")
  }
}
