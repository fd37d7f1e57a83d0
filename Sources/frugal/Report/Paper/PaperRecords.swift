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

  /// - kind, name: the protocol and the dataset of the figure.
  /// - tail: figures that only a run's own test split has.
  private static func row(
    _ group: RunGroup, _ kind: String, _ name: String, _ method: String, _ measure: String, _ found: Statistic,
    _ published: PaperEntry.Published, tail: [Double?] = [nil, nil]
  ) -> [String] {
    func number(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "" }
    let source: [String] =
      switch published {
      case .figure(let figure, let value): [number(value), "\(figure.source) (\(figure.kind.rawValue))", ""]
      case .missing(let reason): ["", "", reason]
      }
    return [
      kind, group.model, group.shotsText, method, name, measure, number(found.mean),
      number(StudentInterval.half(found)), "\(found.count)",
    ] + tail.map(number) + source
  }

  private static func rows(_ entry: PaperEntry) -> [[String]] {
    let (group, kind) = (entry.group, entry.kind.rawValue)
    guard entry.kind != .baseToNew else {
      let none = PaperEntry.Published.missing("published means are over all eleven datasets")
      return zip(["base", "new", "H"], PaperBaseToNew.scores(group)).map {
        row(group, kind, entry.name, group.label, $0, $1, none)
      }
    }
    let tail = [group.known(PaperClassMeans.mean)?.mean, group.known(PaperClassMeans.calibrationError)?.mean]
    let tuned = row(
      group, kind, entry.name, group.label, "accuracy", group.accuracy, entry.accuracy, tail: tail)
    let frozen = group.zeroShot.map {
      row(group, kind, entry.name, "zero-shot", "zero-shot", $0, entry.zeroShot)
    }
    return [tuned] + [frozen].compactMap(\.self) + transfers(entry)
  }

  /// What runs have on other data than they were trained on.
  private static func transfers(_ entry: PaperEntry) -> [[String]] {
    let group = entry.group
    let figures = PaperTransfer.figures(entry)
    let title = PaperTransfer.title(entry.name, figures.map(\.name))
    return figures.dropFirst().flatMap { figure in
      func row(_ method: String, _ measure: String, _ values: [Double]) -> [String] {
        Self.row(
          group, title, figure.name, method, measure, Statistic(values),
          figure.published(measure == "accuracy" ? group.method : method, shots: group.shots))
      }
      let tuned = row(group.label, "accuracy", figure.tuned)
      return figure.frozen.isEmpty ? [tuned] : [tuned, row("zero-shot", "zero-shot", [figure.frozen[0]])]
    }
  }

  /// A field, with quotes where it needs them.
  private static func field(_ text: String) -> String {
    text.contains { ",\"\n\r".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }
}
