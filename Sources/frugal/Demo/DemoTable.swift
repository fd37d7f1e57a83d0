import Datasets
import Foundation
import Methods

/// What a demo found, as papers print it: a row a method, a column a task.
struct DemoTable {
  /// A finished run, and the seconds of its training where they were measured.
  typealias Finished = (cell: DemoPlan.Cell, result: RunResult, seconds: Double?)

  /// The title and the rows, the first of which names the columns.
  let title: String
  private(set) var rows: [[String]] = []

  /// The table of one suite: runs on all classes with its usual number of pictures.
  ///
  /// - finished: all runs of the demo; `nil` where none is of the suite.
  init?(_ suite: MiniatureTask.Suite, _ finished: [Finished]) {
    let own = finished.filter { run in
      run.cell.task.suite == suite && !run.cell.isBase && (run.cell.shots ?? 16) == 16
    }
    guard !own.isEmpty else { return nil }
    let (tasks, methods) = (own.map(\.cell.task.name).unique, own.map(\.cell.method.label).unique)
    let seeds = Set(own.map(\.cell.seed)).count
    title =
      suite == .eleven
      ? "CLIP, 16 shots, test accuracy in % (\(seeds) \(seeds == 1 ? "seed" : "seeds"))"
      : "Vision transformer, VTAB's 800 and 200 pictures, test accuracy in % (\(seeds) \(seeds == 1 ? "seed" : "seeds"))"
    rows = [[""] + tasks + ["mean", "trained", "delta", "masked", "seconds"]]
    let frozen = tasks.map { task in
      Statistic(
        own.filter { $0.cell.task.name == task }.compactMap { $0.result.zeroShot?.accuracy }.prefix(1).map { $0 })
    }
    if frozen.allSatisfy({ $0.count > 0 }) {
      rows.append(["zero-shot"] + frozen.map { Self.text($0) } + [Self.mean(frozen), "0", "", "", ""])
    }
    for method in methods {
      let runs = own.filter { $0.cell.method.label == method }
      let byTask = tasks.map { task in
        Statistic(runs.filter { $0.cell.task.name == task }.map(\.result.test.accuracy))
      }
      rows.append([method] + byTask.map { Self.text($0) } + [Self.mean(byTask)] + Self.costs(runs))
    }
  }

  /// Trained numbers, bytes, masked share and seconds, means over runs.
  private static func costs(_ runs: [Finished]) -> [String] {
    func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
    let trained = mean(runs.map { Double($0.result.trainedParameters) }) ?? 0
    let bytes = mean(runs.map { Double($0.result.deltaBytes) }) ?? 0
    let masked = mean(runs.compactMap { $0.result.shares["all"] })
    let seconds = mean(runs.compactMap(\.seconds))
    return [
      grouped(Int(trained.rounded())), String(format: "%.1f kB", bytes / 1000),
      masked.map { String(format: "%.1f %%", $0) } ?? "", seconds.map { String(format: "%.1f", $0) } ?? "",
    ]
  }

  private static func text(_ statistic: Statistic) -> String {
    statistic.count == 0 ? "–" : statistic.text(decimals: 1)
  }

  /// The mean over tasks, where all are known.
  private static func mean(_ statistics: [Statistic]) -> String {
    guard statistics.allSatisfy({ $0.count > 0 }) else { return "–" }
    return String(format: "%.1f", statistics.reduce(0) { $0 + $1.mean } / Double(statistics.count))
  }

  /// The table in columns: the first to the left, all others to the right.
  var text: String { title + "\n\n" + aligned(rows, rightFrom: 1) }
}
