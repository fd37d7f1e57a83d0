import Datasets
import Foundation
import Methods
import Models

/// The results of a demo, as papers print them: one row per method.
struct DemoTable {
  /// A finished run, and the seconds that its user waited if they were measured.
  typealias Finished = (cell: DemoPlan.Cell, result: RunResult, seconds: Double?)

  /// The title and the rows, the first of which names the columns.
  let title: String
  private(set) var rows: [[String]] = []
  /// What is to be said of single rows: diverged runs, totals that miss their budget.
  private(set) var notes: [String] = []

  /// Every table for which there are runs: each suite, fewer shots, base and new classes.
  ///
  /// - trained: the folders of the runs that were just trained, where others are recorded.
  static func all(_ finished: [Finished], trained: Set<String> = []) -> [DemoTable] {
    let suites = MiniatureTask.Suite.allCases.flatMap { suite in
      let shots = finished.filter { $0.cell.task.suite == suite }.map(\.cell.shots).unique
      return shots.sorted { $0 ?? .max > $1 ?? .max }.compactMap { DemoTable(suite, shots: $0, finished, trained) }
    }
    return suites + [DemoTable(newClassesOf: finished)].compactMap { $0 }
  }

  /// One column per task: runs of one suite on all classes.
  ///
  /// - shots: images per class; `nil` for all.
  /// - finished: all runs of the demo; `nil` if none belongs to this table.
  /// - trained: the folders of the runs that were just trained, where others are recorded: their tasks get a mark.
  init?(_ suite: MiniatureTask.Suite, shots: Int?, _ finished: [Finished], _ trained: Set<String> = []) {
    let own = finished.filter { run in
      run.cell.task.suite == suite && !run.cell.isBase && run.cell.shots == shots
    }
    guard !own.isEmpty else { return nil }
    let (tasks, methods) = (own.map(\.cell.task.name).unique, own.map(\.cell.method.label).unique)
    let groups = Self.groups(own)
    let pictures = shots.map { "\($0) \($0 == 1 ? "shot" : "shots")" } ?? "all training images"
    title = "\(suite == .eleven ? "CLIP" : "Vision transformer"), \(pictures), test accuracy in % (\(Self.seeds(own)))"
    let hasBudgets = own.contains { $0.result.budget != nil }
    func means(_ byTask: [Statistic]) -> [String] {
      groups.map { Self.mean($0.indices.map { byTask[$0] }) } + [Self.mean(byTask)]
    }
    let isTrained = tasks.map { task in own.contains { $0.cell.task.name == task && trained.contains($0.cell.path) } }
    let marked = zip(tasks, isTrained).map { $0 + ($1 ? "°" : "") }
    rows = [[""] + marked + groups.map(\.name) + ["mean"] + Self.costHeadings(hasBudgets)]
    let frozen = tasks.map { task in
      Statistic(
        own.filter { $0.cell.task.name == task }.compactMap { $0.result.zeroShot?.accuracy }.prefix(1).map { $0 })
    }
    if frozen.allSatisfy({ $0.count > 0 }) {
      rows.append(["zero-shot"] + frozen.map { Self.text($0) } + means(frozen) + Self.noCosts(hasBudgets))
    }
    for method in methods {
      let runs = own.filter { $0.cell.method.label == method }
      let byTask = tasks.map { task in
        Statistic(runs.filter { $0.cell.task.name == task }.map(\.result.test.accuracy))
      }
      let marks = tasks.map { task in Self.mark(runs.filter { $0.cell.task.name == task }) }
      let cells = zip(byTask, marks).map { Self.text($0) + $1 }
      rows.append(
        [method] + cells + means(byTask).map { $0 + Self.mark(runs) } + Self.costs(runs, hasBudgets))
    }
    notes = Self.notes(own) + (isTrained.contains(true) ? [Self.note(own, trained)] : [])
  }

  /// What was trained and what is recorded.
  private static func note(_ runs: [Finished], _ trained: Set<String>) -> String {
    let seeds = runs.filter { trained.contains($0.cell.path) }.map { "\($0.cell.seed)" }.unique
    return "° trained now: seed \(seeds.joined(separator: ", ")); all else is recorded"
  }

  /// The tasks whose words and looks pretraining has seen, and those that are foreign to it, where there are several
  /// of both: names of the columns of their means, and positions among all tasks.
  private static func groups(_ runs: [Finished]) -> [(name: String, indices: [Int])] {
    let tasks = runs.map(\.cell.task.name).unique.compactMap { MiniatureTask.named($0) }
    let groups = MiniatureTask.Familiarity.allCases.map { familiarity in
      (name: familiarity.rawValue, indices: tasks.indices.filter { tasks[$0].familiarity == familiarity })
    }
    return groups.allSatisfy { $0.indices.count > 1 } ? groups : []
  }

  /// Base, new and H, means over tasks, of runs trained on the base classes alone. A deviation is that of the means of
  /// single seeds; a seed that lacks a task is skipped.
  init?(newClassesOf finished: [Finished]) {
    let own = finished.filter(\.cell.isBase)
    guard let first = own.first else { return nil }
    let tasks = own.map(\.cell.task.name).unique.count
    title = "CLIP, base classes learned, mean over \(tasks) \(tasks == 1 ? "task" : "tasks") in % (\(Self.seeds(own)))"
    rows = [["", "base", "new", "H"] + Self.costHeadings(false)]
    func row(_ runs: [Finished], _ scores: (RunResult) -> [Double?]) -> [String] {
      let bySeed = runs.map(\.cell.seed).unique.map { seed in
        runs.filter { $0.cell.seed == seed }.map { scores($0.result).map { $0 ?? 0 } }
      }.filter { $0.count == tasks }
      return (0..<3).map { column in
        Self.text(Statistic(bySeed.map { cells in Statistic(cells.map { $0[column] }).mean }))
      }
    }
    let frozen = own.filter { $0.cell.method.label == first.cell.method.label && $0.cell.seed == first.cell.seed }
    rows.append(
      ["zero-shot"]
        + row(frozen) { [$0.zeroShot?.accuracy, $0.newClasses?.zeroShot.accuracy, $0.zeroShotHarmonicMean] }
        + Self.noCosts(false))
    for method in own.map(\.cell.method.label).unique {
      let runs = own.filter { $0.cell.method.label == method }
      let scores = row(runs) { [$0.test.accuracy, $0.newClasses?.test.accuracy, $0.harmonicMean] }
      rows.append([method + Self.mark(runs)] + scores + Self.costs(runs, false))
    }
    notes = Self.notes(own)
  }

  /// How many seeds the tasks of a row have, from the fewest to the most.
  private static func seeds(_ runs: [Finished]) -> String {
    let counts = Dictionary(grouping: runs) { [$0.cell.task.name, $0.cell.method.label] }.values.map(\.count)
    let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
    return least == most ? "\(most) \(most == 1 ? "seed" : "seeds")" : "\(least)–\(most) seeds"
  }

  /// - hasBudgets: whether a row has a budget; then it is beside what is trained of it.
  private static func costHeadings(_ hasBudgets: Bool) -> [String] {
    (hasBudgets ? ["budget", "besides the head"] : []) + ["trained", "delta", "masked", "seconds"]
  }

  private static func noCosts(_ hasBudgets: Bool) -> [String] { (hasBudgets ? ["", "0"] : []) + ["0", "", "", ""] }

  /// Budget and trained parameters, from the least to the most; bytes, masked share and seconds, means over runs.
  private static func costs(_ runs: [Finished], _ hasBudgets: Bool) -> [String] {
    func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
    // A count that depends on the number of classes is that of no run as a mean.
    func count(_ value: (RunResult) -> Int?) -> String {
      let found = runs.compactMap { value($0.result) }
      guard let least = found.min(), let most = found.max() else { return "" }
      return least == most ? grouped(least) : "\(grouped(least))–\(grouped(most))"
    }
    let bytes = mean(runs.map { Double($0.result.deltaBytes) }) ?? 0
    let masked = mean(runs.compactMap { $0.result.shares["all"] })
    let seconds = mean(runs.compactMap(\.seconds))
    return (hasBudgets ? [count(\.budget), count(\.encoderParameters)] : []) + [
      count(\.trainedParameters), String(format: "%.1f kB", bytes / 1000),
      masked.map { String(format: "%.1f %%", $0) } ?? "", seconds.map { Statistic([$0]).secondsText } ?? "",
    ]
  }

  private static func text(_ statistic: Statistic) -> String {
    statistic.count == 0 ? "–" : statistic.text(decimals: 1)
  }

  /// The mean over tasks, if all are known.
  private static func mean(_ statistics: [Statistic]) -> String {
    guard statistics.allSatisfy({ $0.count > 0 }) else { return "–" }
    return String(format: "%.1f", statistics.reduce(0) { $0 + $1.mean } / Double(statistics.count))
  }

  /// The table in columns: the first left-aligned, all others right-aligned.
  var text: String {
    ([title, aligned(rows, rightFrom: 1)] + (notes.isEmpty ? [] : [notes.joined(separator: "\n")]))
      .joined(separator: "\n\n")
  }
}

extension DemoTable {
  /// The mark of figures that diverged runs are a part of.
  fileprivate static func mark(_ runs: [Finished]) -> String {
    Divergence.mark(runs.count { $0.result.divergence != nil })
  }

  /// One line per diverged run, and one per run whose total misses its budget by more than 2 %.
  fileprivate static func notes(_ runs: [Finished]) -> [String] {
    runs.flatMap { run -> [String] in
      let name = "\(run.cell.method.label), \(run.cell.task.name), seed \(run.cell.seed)"
      var notes = (run.result.divergence?.text).map { ["‡ \(name), a part of the means: \($0)"] } ?? []
      if let budget = run.result.budget {
        do throws(UnequalTotals) { try UnequalTotals.check(budget, run.result.encoderParameters) } catch {
          notes.append("\(name), budget and trained: \(error)")
        }
      }
      return notes
    }
  }
}
