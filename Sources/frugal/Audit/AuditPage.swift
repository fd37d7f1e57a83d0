import Formats
import Foundation

extension AuditBook {
  /// The pages as Markdown, by the names of their files.
  ///
  /// - worst: the largest relative error of the finite differences of a subject; `nil` if no check has that name.
  func documents(worst: (String) throws -> Double?) throws -> [(name: String, text: String)] {
    try pages.map { ("\($0.name).md", try document($0, worst)) }
  }

  private func document(_ page: EquationPage, _ worst: (String) throws -> Double?) throws -> String {
    var text = """
      # \(page.paper): from an equation to its line and its proof

      Written by `frugal audit` from `docs/methods/\(page.name).md`, the comments that cite its numbers, and gradient
      checks in double precision; not by hand. "Below 1e-8" is the worst relative error of the finite differences of
      the named checks, over every element of every input.

      """
    for equation in page.equations {
      let cited = citations[equation.identity] ?? []
      func list(_ form: Form) -> String {
        let all = cited.filter { Form(of: $0.file) == form }
        return all.isEmpty ? "–" : Self.links(all)
      }
      var lines = [
        "\n## \(equation.identity)\n", "| | |", "| --- | --- |", "| formula | \(equation.formula) |",
        "| symbols | \(equation.symbols) |", "| code | \(list(.fast)) |", "| plain form | \(list(.plain)) |",
        "| tests | \(list(.test)) |", "| finite differences | \(try Self.errors(equation, worst)) |",
      ]
      if cited.contains(where: { Form(of: $0.file) == .ledger }) {
        lines.append("| paper and authors' code differ | \(list(.ledger)) |")
      }
      text += lines.joined(separator: "\n") + "\n"
    }
    return text
  }

  /// A link per file, with what the comments there belong to.
  private static func links(_ citations: [Citation]) -> String {
    var (files, owners) = ([String](), [String: [String]]())
    for citation in citations {
      if owners[citation.file] == nil { files.append(citation.file) }
      if owners[citation.file]?.contains(citation.owner) != true {
        owners[citation.file, default: []].append(citation.owner)
      }
    }
    return files.map { file in
      let name = URL(fileURLWithPath: file).lastPathComponent
      let isTable = file.hasSuffix(".md")
      let names = (owners[file] ?? []).map { isTable ? $0 : "`\($0)`" }.joined(separator: ", ")
      return "[\(name)](../../\(file)): \(names)"
    }.joined(separator: "<br>")
  }

  /// The decades below which the errors of an equation's checks lie.
  private static func errors(_ equation: Equation, _ worst: (String) throws -> Double?) throws -> String {
    guard !equation.checks.isEmpty else { return "nothing to differentiate" }
    return try equation.checks.map { name in
      guard let error = try worst(name) else {
        throw FileError(file: "\(equation.identity)", expected: "a gradient check", found: "\"\(name)\"")
      }
      return "`\(name)` \(decade(error))"
    }.joined(separator: ", ")
  }

  /// `below 1e-8`: one digit less than was measured, as another mathematical library may round otherwise.
  static func decade(_ error: Double) -> String {
    error == 0 ? "exact" : "below 1e\(Int(log10(error).rounded(.down)) + 1)"
  }
}
