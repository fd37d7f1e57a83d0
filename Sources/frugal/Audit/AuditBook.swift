import Formats
import Foundation

/// The audit book: for every numbered formula its address in the code, its plain form, its tests, the error of its
/// gradient, and the rows of the ledger where paper and code differ.
struct AuditBook {
  let pages: [EquationPage]
  /// The citations of each equation, in the order of files and lines.
  let citations: [Equation.Identity: [Citation]]

  /// Where pages and citations are read, from the root of the repository.
  private static let (formulas, ledger) = ("docs/methods", "docs/ledger.md")

  /// Reads the repository.
  ///
  /// - Throws: `FileError` for a page that is not as expected, for an equation that is cited and does not exist, and
  ///   for one without code or test.
  init(repository: URL) throws {
    func text(_ path: String) throws -> String {
      do { return try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8) } catch {
        throw FileError(file: path, expected: "a readable file below \(repository.relativePath)", found: "none")
      }
    }
    let names = try Self.files(in: Self.formulas, of: repository, extension: "md")
    pages = try names.map { path in
      try EquationPage(URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent, text: text(path))
    }
    let reader = try CitationReader(papers: pages.map(\.paper))
    var found: [Citation] = []
    for path in try Self.files(in: "Sources", of: repository, extension: "swift")
      + Self.files(in: "Tests", of: repository, extension: "swift") where !path.hasPrefix("Tests/Structure/")
    {
      found += reader.citations(in: path, text: try text(path))
    }
    found += reader.rows(in: Self.ledger, text: try text(Self.ledger))
    citations = Dictionary(grouping: found, by: \.equation)
    try check(found)
  }

  private func check(_ found: [Citation]) throws(FileError) {
    let known = Set(pages.flatMap(\.equations).map(\.identity))
    for citation in found where !known.contains(citation.equation) {
      throw FileError(
        file: "\(citation.file):\(citation.line)", expected: "an equation of \(Self.formulas)",
        found: "\(citation.equation)")
    }
    for page in pages {
      for equation in page.equations {
        let cited = citations[equation.identity] ?? []
        for form in [Form.fast, .test] where !cited.contains(where: { Form(of: $0.file) == form }) {
          throw FileError(
            file: "\(Self.formulas)/\(page.name).md", expected: "\(form.rawValue) that cites \(equation.identity)",
            found: "none")
        }
      }
    }
  }

  /// What a file is to an equation.
  enum Form: String {
    /// The code that runs.
    case fast = "code"
    /// The same in scalar loops.
    case plain = "a plain form"
    /// The checks of the command.
    case check = "a check"
    case test = "a test"
    case ledger = "a row of the ledger"

    /// The first that a path begins with decides.
    private static let folders: [(prefix: String, form: Form)] = [
      ("Tests/", .test), ("Sources/Reference/", .plain), ("Sources/Checks/", .check), ("Sources/Bench/", .check),
      ("Sources/", .fast),
    ]

    init(of file: String) {
      self = Self.folders.first { file.hasPrefix($0.prefix) }?.form ?? .ledger
    }
  }

  /// The paths of all files below a folder with an extension, ascending.
  private static func files(in folder: String, of repository: URL, extension suffix: String) throws(FileError)
    -> [String]
  {
    let url = repository.appendingPathComponent(folder)
    let names = FileManager.default.enumerator(atPath: url.path)?.compactMap { $0 as? String } ?? []
    let found = names.filter { $0.hasSuffix(".\(suffix)") }.sorted().map { "\(folder)/\($0)" }
    guard !found.isEmpty else {
      throw FileError(file: folder, expected: ".\(suffix) files below \(repository.relativePath)", found: "none")
    }
    return found
  }
}
