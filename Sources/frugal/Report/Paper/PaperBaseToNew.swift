import Foundation
import Methods

/// Base classes, new classes and their harmonic mean H, by dataset and on average.
///
/// On average, H is that of the two averages, as CoOp and its followers print it; of a dataset it is the mean of the
/// seeds' own.
enum PaperBaseToNew {
  /// - entries: of one model and number of images per class.
  static func table(_ entries: [PaperEntry], backbone: String?) -> PaperTable {
    let (methods, first) = (entries.map(\.group.label).unique, entries[0].group)
    let known = PaperProtocol.baseToNew.columns.map(\.name)
    let present = entries.map(\.name).unique
    let names = known.filter(present.contains) + present.filter { !known.contains($0) }
    func entry(_ name: String, _ method: String) -> PaperEntry? {
      entries.first { $0.name == name && $0.group.label == method }
    }
    var (rows, sources) = ([PaperTable.Row](), PaperSources())
    var (missing, parts) = ([(what: String, reason: String)](), [Range<Int>]())
    if names.count > 1 {
      let label = names.count == known.count ? "Average" : "Mean of \(names.count)"
      for method in methods {
        let all = names.compactMap { entry($0, method).map { scores($0.group) } }
        guard all.count == names.count else { continue }
        let (base, new) = (Statistic(all.map { $0[0].mean }).mean, Statistic(all.map { $0[1].mean }).mean)
        let values = [base, new, RunResult.harmonicMean(base, new)]
        rows.append(.init(labels: [label, method], cells: values.map { .init(value: $0) }))
        switch published(names.compactMap { entry($0, method) }, isWhole: label == "Average", backbone) {
        case .figure(let figure, _):
          rows.append(
            .init(
              labels: [label, "\(method), published"],
              cells: ["base", "new", "H"].map { .init(value: figure.values[$0]) },
              sources: [sources.number(of: figure)]))
        case .missing(let reason): missing.append((method, reason))
        }
      }
      parts.append(0..<rows.count)
    }
    for name in names {
      let start = rows.count
      for method in methods {
        guard let found = entry(name, method) else { continue }
        let cells = scores(found.group).map { PaperTable.Cell(value: $0.mean, half: StudentInterval.half($0)) }
        rows.append(.init(labels: [name, method], cells: cells))
      }
      parts.append(start..<rows.count)
    }
    var table = PaperTable(
      title: "\(PaperProtocol.baseToNew.rawValue), \(first.shotsPhrase), \(first.model)",
      caption: PaperTables.caption(entries.map(\.group)), head: ["dataset", "method", "base", "new", "H"], rows: rows,
      notes: sources.notes + PaperSources.notCompared(missing))
    for part in parts where !part.isEmpty { table.markBest(part) }
    return table
  }

  /// Base, new, H over seeds.
  static func scores(_ group: RunGroup) -> [Statistic] {
    let pairs = group.runs.compactMap { run in
      run.result.newClasses.map { (run.result.test.accuracy, $0.test.accuracy) }
    }
    return [pairs.map(\.0), pairs.map(\.1), pairs.map { RunResult.harmonicMean($0, $1) }].map(Statistic.init)
  }

  /// The published average over all eleven datasets.
  private static func published(
    _ entries: [PaperEntry], isWhole: Bool, _ backbone: String?
  ) -> PaperEntry.Published {
    for entry in entries {
      if let column = entry.column {
        let images = entry.group.runs[0].result
        let total = images.test.total + (images.newClasses?.test.total ?? 0)
        guard total == column.images else {
          return .missing("\(column.name) has \(grouped(total)) test images, not \(grouped(column.images))")
        }
      }
      if case .missing(let reason) = entry.accuracy, reason != PaperEntry.unknown { return .missing(reason) }
    }
    guard isWhole else { return .missing("the published means are over all eleven datasets") }
    let group = entries[0].group
    let found = PaperEntry.figures(.baseToNew, group.method, shots: group.shots, backbone ?? "").first
    return found.map { .figure($0, 0) } ?? .missing(PaperEntry.unknown)
  }
}
