import Foundation

/// An equation cited in a comment of a source file, or in a table of the ledger.
struct Citation: Hashable, Sendable {
  let equation: Equation.Identity
  /// The path in the repository.
  let file: String
  /// What the comment belongs to: `func combined`, `struct Adam`; of the ledger, the first cell of its row.
  let owner: String
  /// The number of the line, from 1.
  let line: Int
}

/// The equations that a text cites: `ABC eq. 7`, `ABC (c)`, `ABC (f) to (h)`, `ABC (a), (c) and (e)`.
struct CitationReader {
  private let pattern: Regex<(Substring, paper: Substring, numbers: Substring)>

  /// - papers: the names of the papers that may be cited.
  init(papers: [String]) throws {
    // The longest first, as one name may begin another.
    let names = papers.sorted { $0.count > $1.count }.map(NSRegularExpression.escapedPattern(for:))
    let number = #"(?:\([a-z]\)|eq\. [0-9]+)"#
    let list = "\(number)(?:(?:, and |, | and | to )\(number))*"
    pattern = try Regex("\\b(?<paper>\(names.joined(separator: "|"))) (?<numbers>\(list))")
  }

  /// The equations cited in a line, in its order.
  func equations(_ line: some StringProtocol) -> [Equation.Identity] {
    String(line).matches(of: pattern).flatMap { match in
      Self.expanded(match.output.numbers).map {
        Equation.Identity(paper: String(match.output.paper), number: $0)
      }
    }
  }

  /// `(f) to (h), eq. 7` as `(f)`, `(g)`, `(h)`, `eq. 7`.
  private static func expanded(_ numbers: Substring) -> [String] {
    var found: [String] = []
    for match in numbers.matches(of: /( to )?(?:\(([a-z])\)|(eq\. [0-9]+))/) {
      if let plain = match.output.3 {
        found.append(String(plain))
      } else if let letter = match.output.2?.utf8.first {
        let first = match.output.1 == nil ? letter : (found.last?.utf8.dropFirst().first ?? letter) + 1
        for code in first...max(first, letter) { found.append("(\(Character(Unicode.Scalar(code))))") }
      }
    }
    return found
  }

  /// The citations in the comments of a Swift file.
  func citations(in file: String, text: String) -> [Citation] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.indices.flatMap { index -> [Citation] in
      guard let start = lines[index].firstRange(of: "//") else { return [] }
      let cited = equations(lines[index][start.upperBound...])
      guard !cited.isEmpty else { return [] }
      let owner = Declaration.owner(of: index, in: lines)
      return cited.map { Citation(equation: $0, file: file, owner: owner, line: index + 1) }
    }
  }

  /// The citations in the tables of a Markdown file: each belongs to the first cell of its row.
  func rows(in file: String, text: String) -> [Citation] {
    text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { index, line -> [Citation] in
      guard line.hasPrefix("| ") else { return [] }
      let owner = line.dropFirst(2).prefix { $0 != "|" }.trimmingCharacters(in: .whitespaces)
      return equations(line).map { Citation(equation: $0, file: file, owner: owner, line: index + 1) }
    }
  }
}

/// The declarations of a Swift file, found by their keywords.
enum Declaration {
  /// The declaration that a comment belongs to: the one that follows it, or else the function that it stands in.
  static func owner(of line: Int, in lines: [Substring]) -> String {
    if isComment(lines[line]) {
      let next = lines[line...].first { !isComment($0) && !isAttribute($0) }
      if let next, let name = name(next) { return name }
    }
    let depth = indentation(lines[line])
    for before in lines[..<line].reversed() where !isComment(before) && indentation(before) < depth {
      guard let name = name(before), !name.hasPrefix("let") else { continue }
      if !name.hasPrefix("var") || before.hasSuffix("{") { return name }
    }
    return "file"
  }

  private static func isComment(_ line: Substring) -> Bool {
    line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
  }

  /// A line like `@inlinable`, whose declaration is on a line below.
  private static func isAttribute(_ line: Substring) -> Bool {
    line.trimmingCharacters(in: .whitespaces).hasPrefix("@") && name(line) == nil
  }

  private static func indentation(_ line: Substring) -> Int {
    let rest = line.drop { $0 == " " }
    return rest.isEmpty ? .max : line.count - rest.count
  }

  /// `func combined`, or `nil` for a line that declares nothing.
  private static func name(_ line: Substring) -> String? {
    let code = line.prefix { $0 != "\"" }
    let types = /\b(func|struct|enum|class|actor|protocol|extension|typealias)\b ?([A-Za-z0-9_.]*)/
    let members = /\b(case|var|let|init|subscript)\b ?([A-Za-z0-9_.]*)/
    guard let match = code.firstMatch(of: types) ?? code.firstMatch(of: members) else { return nil }
    return match.2.isEmpty ? String(match.1) : "\(match.1) \(match.2)"
  }
}
