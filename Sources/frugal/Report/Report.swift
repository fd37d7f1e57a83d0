import Formats
import Foundation
import Tensor

/// One self-contained HTML file from runs: tables, charts, images, settings.
enum Report {
  /// The contents of a report.
  struct Outcome {
    /// The number of runs and of sensitivity maps.
    let runs, surveys: Int
    /// Folders that are not finished runs.
    let skipped: [RunSearch.Skipped]
    /// What says of runs that their images were not found, so that none are shown.
    let missing: [String]
    /// The best method of each dataset.
    let verdicts: [Verdict]
  }

  /// The default title.
  static let usualTitle = "frugal: tuning runs and their results"

  /// Writes the report of all runs at and below some folders, whole or not at all.
  ///
  /// Its bytes depend on the runs, the title and the images alone, not on the order of the folders or on a clock.
  /// - Throws: `ReportError` for a path that is not a folder, and if there is nothing to report; `FileError` where the
  ///   file cannot be written.
  ///
  /// - accuracies: a file for the accuracies as one picture, if there is to be one.
  @discardableResult
  static func write(
    runs folders: [URL], title: String? = nil, to file: URL, accuracies: URL? = nil
  ) throws -> Outcome {
    let found = try RunSearch(folders)
    guard !found.runs.isEmpty || !found.surveys.isEmpty else { throw nothing(found, in: folders) }
    let groups = RunGroup.all(found.runs)
    let verdicts = Verdict.all(groups)
    try AtomicFile.write(Array(html(found, groups, verdicts, title: title ?? usualTitle).utf8), to: file)
    if let accuracies {
      guard let picture = DotsSection.picture(groups) else {
        throw ReportError("expected a finished run to draw, found sensitivity maps alone")
      }
      try AtomicFile.write(Array(picture.standalone.utf8), to: accuracies)
    }
    let missing = found.runs.compactMap { run -> String? in
      do { _ = try run.folder.located(.images, run.settings) } catch { return "\(error)" }
      return nil
    }
    return Outcome(
      runs: found.runs.count, surveys: found.surveys.count, skipped: found.skipped, missing: missing,
      verdicts: verdicts)
  }

  /// The tables of papers from all runs at and below some folders, and the folders that are not finished runs.
  ///
  /// - backbone: the published model that their model is; `nil` where the names of its files say it.
  /// - Throws: `ReportError` for a path that is not a folder, and if there is nothing to report.
  static func tables(
    runs folders: [URL], _ format: PaperFormat, backbone: String?
  ) throws -> (text: String, skipped: [RunSearch.Skipped]) {
    let found = try RunSearch(folders)
    guard !found.runs.isEmpty else { throw Self.nothing(found, in: folders) }
    return (format.text(RunGroup.all(found.runs), backbone: backbone), found.skipped)
  }

  private static func nothing(_ found: RunSearch, in folders: [URL]) -> ReportError {
    let reasons = found.skipped.prefix(3).map { "\($0.name): \($0.reason)" }.joined(separator: "; ")
    return ReportError(
      "\(folders.map(\.shown).joined(separator: ", ")): expected at least one finished run, found "
        + (reasons.isEmpty ? "none, but for candidates of a search" : "none (\(reasons))"))
  }

  /// The document.
  private static func html(_ found: RunSearch, _ groups: [RunGroup], _ verdicts: [Verdict], title: String) -> String {
    let sections = [
      VerdictSection.html(verdicts), DotsSection.html(groups), groups.isEmpty ? nil : ResultsSection.html(groups),
      MatrixSection.html(groups), ShotsSection.html(groups), BaseNewSection.html(groups),
      TransferSection.html(groups), AnswersSection.html(groups), CurvesSection.html(groups), TimeSection.html(groups),
      WeightsSection.html(groups, found.surveys),
      PicturesSection.html(groups), SettingsSection.html(groups), SettingsSection.left(found.skipped),
    ]
    return Page.document(title: title, lead: [lead(found, groups)], sections: sections.compactMap(\.self))
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
      parts.append(counted(found.surveys.count, "sensitivity map", "sensitivity maps"))
    }
    if !found.skipped.isEmpty { parts.append(counted(found.skipped.count, "folder skipped", "folders skipped")) }
    return parts.joined(separator: ", ") + "."
  }
}
