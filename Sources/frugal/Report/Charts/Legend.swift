/// The names of the series of a chart, in rows below it.
struct Legend {
  private let entries: [(name: String, series: Int)]
  private let rows: [[(x: Double, entry: Int)]]

  /// The height of a row.
  static let rowHeight = 18.0

  /// Rows of entries, as many side by side as fit.
  init(_ names: [(name: String, series: Int)], width: Double) {
    entries = names.map { (SVG.shortened($0.name, to: 46), $0.series) }
    var (rows, x) = ([[(x: Double, entry: Int)]](), width)
    for (index, entry) in entries.enumerated() {
      let own = 36 + SVG.estimatedWidth(entry.name)
      if x + own > width {
        rows.append([])
        x = 0
      }
      rows[rows.count - 1].append((x, index))
      x += own
    }
    self.rows = rows
  }

  var height: Double { Double(rows.count) * Self.rowHeight }

  /// Draws it; `sample` draws a sample of a series, 24 wide and centred on a height.
  func draw(into svg: inout SVG, x: Double, y: Double, sample: (_ series: Int, _ x: Double, _ y: Double) -> String) {
    for (row, items) in rows.enumerated() {
      let base = y + Double(row) * Self.rowHeight
      for item in items {
        let entry = entries[item.entry]
        svg.add(sample(entry.series, x + item.x, base + 8))
        svg.text(entry.name, x + item.x + 28, base + 12)
      }
    }
  }
}
