import Foundation

extension Page {
  /// A cell of a table.
  struct Cell {
    /// The text.
    var text: String
    /// The sort key, if it is numeric.
    var number: Double?
    var isBold = false
    /// The shade of its ground, 0 to 9, of a table that is a map.
    var shade: Int?

    init(_ text: String, number: Double? = nil, isBold: Bool = false) {
      (self.text, self.number, self.isBold) = (text, number, isBold)
    }

    init(_ statistic: Statistic?, decimals: Int = 1, isBold: Bool = false) {
      self.init(
        statistic.map { $0.text(decimals: decimals) } ?? "–", number: statistic?.mean ?? -1, isBold: isBold)
    }

    /// Seconds, with as many decimals as tell them from 0.
    init(seconds: Statistic?) {
      self.init(seconds.map(\.secondsText) ?? "–", number: seconds?.mean ?? -1)
    }

    /// A part of the largest value of a map.
    init(_ text: String, shadedBy value: Double, of largest: Double) {
      self.init(text, number: value)
      shade = largest > 0 ? min(9, max(0, Int((9 * value / largest).rounded()))) : 0
    }

    fileprivate func html(isHead: Bool, isSecondary: Bool) -> String {
      let content = isBold ? "<strong>\(text.escaped)</strong>" : text.escaped
      let classes = [number == nil ? nil : "n", isSecondary ? "more" : nil, shade.map { "h\($0)" }].compactMap(\.self)
      let style = classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
      if isHead { return "<th scope=\"row\"\(style)>\(content)</th>" }
      return "<td\(style)\(number.map { " data-n=\"\($0)\"" } ?? "")>\(content)</td>"
    }
  }

  /// A table whose first column names the rows and stays in view, with numeric cells right-aligned.
  ///
  /// - secondary: headings of columns that narrow screens fold away.
  static func table(
    _ headings: [String], _ rows: [[Cell]], caption: String, isSortable: Bool = false, secondary: Set<String> = []
  ) -> String {
    let head = headings.enumerated().map { column, heading in
      let isNumber = rows.contains { column < $0.count && $0[column].number != nil }
      let classes = [isNumber ? "n" : nil, secondary.contains(heading) ? "more" : nil].compactMap(\.self)
      let style = classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
      return "<th scope=\"col\"\(style)>\(heading.escaped)</th>"
    }.joined()
    let body = rows.map { row in
      let cells = zip(row, headings).enumerated().map { column, cell in
        cell.0.html(isHead: column == 0, isSecondary: secondary.contains(cell.1))
      }
      return "<tr>\(cells.joined())</tr>"
    }
    let all = headings.contains(where: secondary.contains)
    let choice = "<label class=\"all\"><input type=\"checkbox\"/> all columns</label>\n"
    return """
      <div class="table">\(all ? choice : "")
      <div class="wide" tabindex="0" role="group" aria-label="\(caption.escaped)">
      <table\(isSortable ? " class=\"sortable\"" : "")><caption>\(caption.escaped)</caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div></div>
      """
  }

  /// A table of shares as a map: the larger, the darker.
  ///
  /// - values: by row and column; `nil` where there is none.
  static func map(_ corner: String, _ columns: [String], _ rows: [(name: String, values: [Double?])], caption: String)
    -> String
  {
    let largest = rows.flatMap { $0.values.compactMap { $0 } }.max() ?? 0
    let cells = rows.map { row in
      [Cell(row.name)] + row.values.map { $0.map { Cell(shareText($0), shadedBy: $0, of: largest) } ?? Cell("") }
    }
    return table([corner] + columns, cells, caption: caption)
  }

  /// A share in percent that may be small: `12.5`, `0.031`.
  static func shareText(_ share: Double) -> String {
    share > 0 && share < 0.1 ? String(format: "%.2g", share) : tenths(share)
  }
}
