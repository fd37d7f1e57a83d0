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
    jsonOption,
  ]

  /// The output of `--json`.
  struct Listing: Encodable {
    struct Skipped: Encodable { let name, reason: String }

    let file: String
    let runs, surveys: Int
    let skipped: [Skipped]
    /// Messages about runs whose images were not found.
    let missing: [String]
  }

  static let examples = [
    Example("frugal report runs", "report.html of all runs in a folder"),
    Example("frugal report runs/a runs/b --title Photos --out photos.html", "two runs under a title"),
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
    if arguments.has("--json") {
      return try printJSON(
        Listing(
          file: path, runs: outcome.runs, surveys: outcome.surveys,
          skipped: outcome.skipped.map { .init(name: $0.name, reason: $0.reason) }, missing: outcome.missing))
    }
    print("runs            \(grouped(outcome.runs))")
    print(path)
  }
}
