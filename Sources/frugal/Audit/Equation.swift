import Formats
import Foundation

/// A row of a page of formulas (`docs/methods`): a numbered formula, what its symbols are called in the code, and the
/// gradient checks that differentiate it.
struct Equation: Sendable {
  /// Its number, as comments cite it.
  let identity: Identity
  /// The formula, in Markdown.
  let formula: String
  /// The symbols and their names in the code, in Markdown.
  let symbols: String
  /// The subjects of `frugal gradcheck` that the formula is part of; none where nothing is differentiated.
  let checks: [String]

  /// The number of an equation, with its paper: `ABC eq. 7`, `ABC (c)`.
  ///
  /// A formula that its paper numbers has the paper's number, any other a letter of ours.
  struct Identity: Hashable, Sendable, CustomStringConvertible {
    let paper: String
    let number: String
    var description: String { "\(paper) \(number)" }
  }
}

/// A page of formulas of one paper.
struct EquationPage: Sendable {
  /// The name of the file, without its extension.
  let name: String
  /// The paper, as comments cite it: the first words of the title, up to the comma.
  let paper: String
  let equations: [Equation]

  /// Reads a page: the rows of its tables whose first cell is a number, `(a)` or `eq. 7`.
  ///
  /// - Throws: `FileError` for a page without title or equations, a row without its four cells, a number given twice.
  init(_ name: String, text: String) throws(FileError) {
    let lines = text.split(separator: "\n")
    guard let title = lines.first(where: { $0.hasPrefix("# ") }), let comma = title.firstIndex(of: ",") else {
      throw FileError(file: name, expected: "a title \"# PAPER, …\"", found: "none")
    }
    let paper = String(title[title.index(title.startIndex, offsetBy: 2)..<comma])
    var equations: [Equation] = []
    for line in lines {
      guard let row = line.wholeMatch(of: /\| (\([a-z]\)|eq\. [0-9]+) (\|.*\|)/) else { continue }
      let cells = Self.cells(row.2)
      let identity = Equation.Identity(paper: paper, number: String(row.1))
      guard cells.count == 3 else {
        throw FileError(
          file: name, expected: "\(identity) with formula, symbols and checks", found: "\(cells.count) cells")
      }
      guard !equations.contains(where: { $0.identity == identity }) else {
        throw FileError(file: name, expected: "\(identity) once", found: "it twice")
      }
      equations.append(
        Equation(
          identity: identity, formula: cells[0], symbols: cells[1],
          checks: cells[2].matches(of: /`([^`]+)`/).map { String($0.1) }))
    }
    guard !equations.isEmpty else {
      throw FileError(file: name, expected: "rows that begin with \"| (a) |\" or \"| eq. 1 |\"", found: "none")
    }
    (self.name, self.paper, self.equations) = (name, paper, equations)
  }

  /// The cells of a row; `\|` is a bar within one.
  private static func cells(_ row: Substring) -> [String] {
    row.replacing("\\|", with: "\u{0}").split(separator: "|").map { cell in
      cell.replacing("\u{0}", with: "\\|").trimmingCharacters(in: .whitespaces)
    }
  }
}
