import Foundation
import Methods

/// The formats of `frugal report`.
enum PaperFormat: String, CaseIterable {
  case html, markdown, csv, latex

  static let backboneOption = Option(
    "--backbone", "NAME",
    "with --format, the published model that the runs' model is (default by the name of its file): "
      + PublishedFigures.backbones.joined(separator: ", "))

  /// The published model that `--backbone` names.
  ///
  /// - Throws: `UsageError` for another one.
  static func backbone(_ arguments: Arguments) throws(UsageError) -> String? {
    let (found, known) = (arguments.string("--backbone"), PublishedFigures.backbones)
    if let found, !known.contains(found) {
      let near = suggestion(for: found, among: known)
      throw UsageError("--backbone: expected \(known.joined(separator: ", ")), found \"\(found)\"\(near)")
    }
    return found
  }

  /// The tables of some runs; one empty line between two.
  func text(_ groups: [RunGroup], backbone: String?) -> String {
    switch self {
    case .html: ""
    case .markdown: PaperTables.all(groups, backbone: backbone).map(Self.markdown).joined(separator: "\n\n") + "\n"
    case .latex: PaperTables.all(groups, backbone: backbone).map(Self.latex).joined(separator: "\n\n") + "\n"
    case .csv: PaperRecords.text(PaperTables.entries(groups, backbone: backbone))
    }
  }

  private static func number(_ cell: PaperTable.Cell, plusMinus: String) -> String {
    guard let value = cell.value else { return "–" }
    return tenths(value) + (cell.half.map { " \(plusMinus) \(tenths($0))" } ?? "")
  }

  private static func labels(_ row: PaperTable.Row) -> [String] {
    guard let sources = row.sources, let last = row.labels.last else { return row.labels }
    return row.labels.dropLast() + ["\(last) [\(sources.map { "\($0)" }.joined(separator: ","))]"]
  }

  static func markdown(_ table: PaperTable) -> String {
    func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }
    func plain(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("*", with: "\\*") }
    let labels = table.head.count - (table.rows.first?.cells.count ?? 0)
    let rule = table.head.indices.map { $0 < labels ? "---" : "---:" }
    let rows = table.rows.map { row in
      line(
        Self.labels(row).map(plain)
          + row.cells.map { cell in
            let text = number(cell, plusMinus: "±")
            return cell.isBold ? "**\(text)**" : row.sources != nil && cell.value != nil ? "*\(text)*" : text
          })
    }
    let body = ([line(table.head.map(plain)), line(rule)] + rows).joined(separator: "\n")
    let notes = table.notes.map(plain).joined(separator: "  \n")
    return "**\(plain(table.title)).** \(plain(table.caption))\n\n\(body)" + (notes.isEmpty ? "" : "\n\n\(notes)")
  }

  static func latex(_ table: PaperTable) -> String {
    let labels = table.head.count - (table.rows.first?.cells.count ?? 0)
    let columns = table.head.indices.map { $0 < labels ? "l" : "r" }.joined()
    func line(_ cells: [String]) -> String { "  \(cells.joined(separator: " & ")) \\\\" }
    let rows = table.rows.map { row in
      line(
        Self.labels(row).map(escaped)
          + row.cells.map { cell in
            let text = number(cell, plusMinus: "$\\pm$").replacing("–", with: "--")
            return cell.isBold ? "\\textbf{\(text)}" : row.sources != nil ? "\\textit{\(text)}" : text
          })
    }
    let notes = table.notes.map { "% \($0)" }
    return
      ([
        "\\begin{table}", "  \\caption{\(escaped("\(table.title). \(table.caption)"))}",
        "  \\begin{tabular}{\(columns)}", "  \\hline", line(table.head.map(escaped)), "  \\hline",
      ] + rows + ["  \\hline", "  \\end{tabular}", "\\end{table}"] + notes).joined(separator: "\n")
  }

  /// Text with what LaTeX reads as something else escaped.
  static func escaped(_ text: String) -> String {
    let special: [Character: String] = [
      "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "%": "\\%", "&": "\\&", "#": "\\#", "_": "\\_", "$": "\\$",
      "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$", "–": "--",
    ]
    return text.map { special[$0] ?? String($0) }.joined()
  }
}
