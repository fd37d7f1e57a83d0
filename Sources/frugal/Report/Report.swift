import Formats
import Foundation
import Tensor

/// Runs → one HTML file that needs nothing else: tables, charts, pictures, settings.
enum Report {
  /// What was reported.
  struct Outcome {
    /// How many runs, and maps of sensitivity.
    let runs, surveys: Int
    /// What was found but is no finished run.
    let skipped: [RunSearch.Skipped]
  }

  /// The title where none is given.
  static let usualTitle = "frugal: what was tuned, and what it is worth"

  /// Writes the report of all runs at and below some folders, whole or not at all.
  ///
  /// Its bytes depend on the runs, the title and the pictures alone, not on the order of the folders or on a clock.
  /// - Throws: `ReportError` for a path that is no folder and where there is nothing to report; `FileError` where the file
  ///   cannot be written.
  @discardableResult
  static func write(runs places: [URL], title: String? = nil, to file: URL) throws -> Outcome {
    let found = try RunSearch(places)
    guard !found.runs.isEmpty || !found.surveys.isEmpty else {
      let reasons = found.skipped.prefix(3).map { "\($0.name): \($0.reason)" }.joined(separator: "; ")
      throw ReportError("expected at least one finished run, found none (\(reasons))")
    }
    try AtomicFile.write(Array(html(found, title: title ?? usualTitle).utf8), to: file)
    return Outcome(runs: found.runs.count, surveys: found.surveys.count, skipped: found.skipped)
  }

  /// The document.
  static func html(_ found: RunSearch, title: String) -> String {
    let groups = RunGroup.all(found.runs)
    let sections =
      groups.isEmpty
      ? []
      : [
        ResultsSection.html(groups), MatrixSection.html(groups), ShotsSection.html(groups), BaseNewSection.html(groups),
        CurvesSection.html(groups),
      ]
    return Page.document(
      title: title, lead: [lead(found, groups)],
      sections: sections + [
        WeightsSection.html(groups, found.surveys), PicturesSection.html(groups),
        SettingsSection.html(groups, skipped: found.skipped),
      ])
  }

  private static func lead(_ found: RunSearch, _ groups: [RunGroup]) -> String {
    func counted(_ count: Int, _ one: String, _ several: String) -> String {
      "\(grouped(count)) \(count == 1 ? one : several)"
    }
    var parts = [
      counted(found.runs.count, "run", "runs"),
      counted(Set(groups.map(\.method)).count, "method", "methods"),
      counted(Set(groups.map(\.dataset)).count, "dataset", "datasets"),
    ]
    if !found.surveys.isEmpty {
      parts.append(counted(found.surveys.count, "map of sensitivity", "maps of sensitivity"))
    }
    if !found.skipped.isEmpty { parts.append(counted(found.skipped.count, "folder left out", "folders left out")) }
    return parts.joined(separator: ", ") + "."
  }
}
