import Foundation
import Methods

/// One line of comma-separated values per group of runs and figure, for other programs.
enum PaperRecords {
  static let head = [
    "protocol", "model", "shots", "method", "dataset", "measure", "value", "half_of_95_interval", "seeds",
    "mean_over_classes", "calibration_error", "published", "source", "not_compared_because",
  ]

  static func text(_ entries: [PaperEntry]) -> String {
    ([head] + entries.flatMap(rows)).map { $0.map(field).joined(separator: ",") + "\n" }.joined()
  }

  private static func rows(_ entry: PaperEntry) -> [[String]] {
    let group = entry.group
    func number(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "" }
    func row(_ measure: String, _ found: Statistic, _ published: PaperEntry.Published, of method: String) -> [String] {
      let isTuned = measure == "accuracy"
      let tail: [String] =
        switch published {
        case .figure(let figure, let value): [number(value), "\(figure.source) (\(figure.kind.rawValue))", ""]
        case .missing(let reason): ["", "", reason]
        }
      return [
        entry.kind.rawValue, group.model, group.shotsText, method, entry.name, measure, number(found.mean),
        number(StudentInterval.half(found)), "\(found.count)",
        number(isTuned ? group.known(PaperClassMeans.mean)?.mean : nil),
        number(isTuned ? group.known(PaperClassMeans.calibrationError)?.mean : nil),
      ] + tail
    }
    guard entry.kind != .baseToNew else {
      let none = PaperEntry.Published.missing("published means are over all eleven datasets")
      return zip(["base", "new", "H"], PaperBaseToNew.scores(group)).map { row($0, $1, none, of: group.label) }
    }
    return [row("accuracy", group.accuracy, entry.accuracy, of: group.label)]
      + (group.zeroShot.map { [row("zero-shot", $0, entry.zeroShot, of: "zero-shot")] } ?? [])
  }

  /// A field, with quotes where it needs them.
  private static func field(_ text: String) -> String {
    text.contains { ",\"\n\r".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }
}
