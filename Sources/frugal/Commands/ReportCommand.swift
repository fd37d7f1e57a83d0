import Foundation

/// `frugal report`: runs in, one HTML file out.
enum ReportCommand: Command {
  static let name = "report"
  static let summary = "one HTML file with tables, charts and pictures of all runs"
  static let operands = "RUN…"
  static let calculates = false
  static let options = [
    Option("--out", "FILE", "where to write it (default report.html)"),
    Option("--title", "TEXT", "what to call it"),
  ]

  static func run(_ arguments: Arguments) throws {
    guard !arguments.operands.isEmpty else {
      throw UsageError("expected folders of runs, or folders with such in them, found none")
    }
    let path = arguments.string("--out") ?? "report.html"
    guard !path.isEmpty else { throw UsageError("--out", expected: "a file", found: "\"\"") }
    let outcome = try Report.write(
      runs: arguments.operands.map { URL(fileURLWithPath: $0) }, title: arguments.string("--title"),
      to: URL(fileURLWithPath: path))
    for skipped in outcome.skipped { note("left out: \(skipped.name): \(skipped.reason)") }
    print("runs            \(grouped(outcome.runs))")
    print(path)
  }
}
