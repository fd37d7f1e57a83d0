import Foundation

/// `frugal report`: one HTML file from all runs.
enum ReportCommand: Command {
  static let name = "report"
  static let summary = "one HTML file with tables, charts and images of all runs"
  static let operands = "RUN…"
  static let calculates = false
  static let options = [
    Option("--out", "FILE", "where to write it (default report.html)"),
    Option("--title", "TEXT", "title of the report"),
  ]

  static func run(_ arguments: Arguments) throws {
    guard !arguments.operands.isEmpty else {
      throw UsageError("expected folders that are or contain runs, found none")
    }
    let path = arguments.string("--out") ?? "report.html"
    guard !path.isEmpty else { throw UsageError("--out", expected: "a file", found: "\"\"") }
    let outcome = try Report.write(
      runs: arguments.operands.map { URL(fileURLWithPath: $0) }, title: arguments.string("--title"),
      to: URL(fileURLWithPath: path))
    for skipped in outcome.skipped { note("skipped: \(skipped.name): \(skipped.reason)") }
    for text in outcome.missing.prefix(10) { note("warning: \(text): the report shows none of them") }
    if outcome.missing.count > 10 { note("  … and \(plural(outcome.missing.count - 10, "run")) more") }
    print("runs            \(grouped(outcome.runs))")
    print(path)
  }
}
