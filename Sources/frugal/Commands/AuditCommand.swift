import Checks
import Formats
import Foundation
import Tensor

/// `frugal audit`: the book that leads from every formula to its code, its plain form, its tests and its proof.
enum AuditCommand: Command {
  static let name = "audit"
  static let summary = "from every formula to its code, tests and gradient error: writes docs/audit"
  static let operands = ""
  static let options = [
    Option("--out", "DIR", "where to write the pages"),
    Option("--repository", "DIR", "the root of a clone of frugal (default the current folder)"),
    jsonOption,
  ]

  /// The output of `--json`.
  private struct Listing: Encodable { let files: [String] }

  static let examples = [
    Example("frugal audit --out docs/audit", "the pages, in a build in double precision"),
    Example("frugal audit --repository frugal --out book", "those of a clone elsewhere"),
  ]

  static func run(_ arguments: Arguments) throws {
    guard let out = arguments.string("--out"), !out.isEmpty else {
      throw UsageError("--out", expected: "a folder", found: arguments.string("--out") == nil ? "no such flag" : "\"\"")
    }
    guard GradientCheck.isDouble else {
      throw UsageError(
        "expected a build in double precision, whose gradients the book quotes, found single: "
          + "REAL64=1 swift run --scratch-path .build/real64 frugal audit --out \(out)")
    }
    let repository = URL(fileURLWithPath: arguments.string("--repository") ?? ".")
    let book = try AuditBook(repository: repository)
    let subjects = book.pages.flatMap(\.equations).flatMap(\.checks).unique
    let line = ProgressLine()
    var errors: [String: Double] = [:]
    for (index, subject) in subjects.enumerated() {
      line.show("\(index) of \(subjects.count) checked")
      errors[subject] = worst(subject)
    }
    line.finish()
    let documents = try book.documents { errors[$0] }
    let folder = URL(fileURLWithPath: out)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for document in documents {
      try AtomicFile.write(Array(document.text.utf8), to: folder.appendingPathComponent(document.name))
      if !arguments.has("--json") { print("\(out)/\(document.name)") }
    }
    if arguments.has("--json") { try printJSON(Listing(files: documents.map { "\(out)/\($0.name)" })) }
  }

  /// The worst relative error of the finite differences of a subject; `nil` if there is no such check.
  ///
  /// Where a gradient is defined by an equation and not by differences, that of the equation.
  private static func worst(_ subject: String) -> Double? {
    guard let members = try? CheckFamily.selected(["\(subject)/"], from: CheckFamily.all) else { return nil }
    let results = CheckResult.results(of: members) { _ in }
    let differences = results.filter { $0.member.kind == "differences" }
    return (differences.isEmpty ? results : differences).flatMap(\.findings).map(\.relativeError).max()
  }
}
