import Foundation

/// The test accuracies of a sweep: a row per method and number of shots, a column per dataset, their mean last.
struct SweepTable {
  private let rows: [[String]]

  /// The finished runs of some cells.
  init(_ cells: [SweepCell]) {
    let datasets = cells.map(\.dataset).unique
    let finished = cells.compactMap { cell in
      cell.isTrained ? (try? ReportedRun(cell.folder, named: cell.name)).map { (cell, $0) } : nil
    }
    let keys = cells.map { [$0.method, $0.shots ?? ""] }.unique
    let hasShots = cells.contains { $0.shots != nil }
    let lines: [[String]] = keys.compactMap { key in
      let own = finished.filter { [$0.0.method, $0.0.shots ?? ""] == key }
      guard !own.isEmpty else { return nil }
      let statistics = datasets.map { name in
        Statistic(own.filter { $0.0.dataset == name }.map(\.1.result.test.accuracy))
      }
      let known = statistics.filter { $0.count > 0 }
      // A mean of fewer datasets than the other rows have would be another quantity.
      let mean = known.count == datasets.count ? tenths(Statistic(known.map(\.mean)).mean) : "–"
      return [key[0]] + (hasShots ? [key[1]] : []) + statistics.map { $0.count == 0 ? "–" : $0.text() }
        + (datasets.count > 1 ? [mean] : [])
    }
    let head = ["test accuracy (%)"] + (hasShots ? ["shots"] : []) + datasets + (datasets.count > 1 ? ["mean"] : [])
    rows = lines.isEmpty ? [] : [head] + lines
  }

  /// In columns; empty without a finished run.
  var text: String { rows.isEmpty ? "" : aligned(rows, rightFrom: 1) }
}
