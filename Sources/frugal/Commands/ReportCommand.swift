import Formats
import Foundation

/// `frugal report`: one HTML file from all runs.
enum ReportCommand: Command {
  static let name = "report"
  static let summary = "the best method, and one HTML file with tables, charts and images of all runs"
  static let operands = "RUN…"
  static let calculates = false
  static let options = [
    Option("--out", "FILE", "where to write it (default report.html; tables go to standard output)"),
    Option(
      "--format", "html|markdown|csv|latex",
      "one file of everything (default html), or the tables of the papers with the published figures beside ours"),
    PaperFormat.backboneOption,
    Option("--title", "TEXT", "title of the report"),
    Option("--svg", "FILE", "the accuracies by dataset as one picture, for a paper or a slide"),
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
    let verdicts: [Found]

    /// The best method of a dataset against the others.
    struct Found: Encodable {
      struct Other: Encodable {
        let method: String
        let accuracy: Double
        /// Absent where there is no test image and seed that both have.
        let isBetter: Bool?
        let difference, low, high: Double?
        let images, seeds: Int?
      }

      let dataset, setting, best, text: String
      let accuracy: Double
      let others: [Other]

      init(_ verdict: Verdict) {
        (dataset, setting, best) = (verdict.dataset, verdict.setting, verdict.best.name)
        (text, accuracy) = (verdict.text, verdict.best.accuracy)
        others = verdict.rivals.map { rival in
          let found = rival.comparison
          return Other(
            method: rival.candidate.name, accuracy: rival.candidate.accuracy, isBetter: found?.isBetter,
            difference: found?.difference, low: found?.interval.lowerBound, high: found?.interval.upperBound,
            images: found?.images, seeds: found?.seeds)
        }
      }
    }
  }

  static let examples = [
    Example("frugal report runs", "report.html of all runs in a folder"),
    Example("frugal report runs --format markdown", "tables as in the papers, with what was published"),
    Example("frugal report runs/a runs/b --title Photos --out photos.html", "two runs under a title"),
  ]

  static func run(_ arguments: Arguments) throws {
    guard !arguments.operands.isEmpty else {
      throw UsageError("expected folders that are or contain runs, found none")
    }
    let format = try arguments.choice("--format", of: PaperFormat.self) ?? .html
    if format != .html { return try printTables(format, arguments) }
    guard !arguments.has("--backbone") else {
      throw UsageError("--backbone", expected: "--format markdown, csv or latex with it", found: "html")
    }
    let path = arguments.string("--out") ?? "report.html"
    guard !path.isEmpty else { throw UsageError("--out", expected: "a file", found: "\"\"") }
    let outcome = try Report.write(
      runs: arguments.operands.map { URL(fileURLWithPath: $0) }, title: arguments.string("--title"),
      to: URL(fileURLWithPath: path), accuracies: arguments.string("--svg").map { URL(fileURLWithPath: $0) })
    for skipped in outcome.skipped { note("skipped: \(skipped.name): \(skipped.reason)") }
    for text in outcome.missing.prefix(10) { note("warning: \(text): the report shows none of them") }
    if outcome.missing.count > 10 { note("  … and \(plural(outcome.missing.count - 10, "run")) more") }
    if arguments.has("--json") {
      return try printJSON(
        Listing(
          file: path, runs: outcome.runs, surveys: outcome.surveys,
          skipped: outcome.skipped.map { .init(name: $0.name, reason: $0.reason) }, missing: outcome.missing,
          verdicts: outcome.verdicts.map(Listing.Found.init)))
    }
    print("runs            \(grouped(outcome.runs))")
    for verdict in outcome.verdicts { print("\(verdict.dataset), \(verdict.setting): \(verdict.text)") }
    print(path)
  }

  /// Writes the tables of the papers.
  private static func printTables(_ format: PaperFormat, _ arguments: Arguments) throws {
    for flag in ["--title", "--svg", "--json"] where arguments.has(flag) {
      throw UsageError(flag, expected: "--format html with it", found: format.rawValue)
    }
    let backbone = try PaperFormat.backbone(arguments)
    let (text, skipped) = try Report.tables(
      runs: arguments.operands.map { URL(fileURLWithPath: $0) }, format, backbone: backbone)
    for skipped in skipped { note("skipped: \(skipped.name): \(skipped.reason)") }
    guard let path = arguments.string("--out") else { return Swift.print(text, terminator: "") }
    guard !path.isEmpty else { throw UsageError("--out", expected: "a file", found: "\"\"") }
    try AtomicFile.write(Array(text.utf8), to: URL(fileURLWithPath: path))
    print(path)
  }
}
