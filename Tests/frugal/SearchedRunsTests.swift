import Datasets
import Foundation
import FrugalTestSupport
import Models
import Testing

@testable import frugal

/// Test accuracies of methods that the demo does not have, at the settings that a search chose: the plans
/// `docs/search/NAME.json`, every run in `NAME/runs.csv`, and tables in docs/results-field.md.
@Suite struct SearchedRunsTests {
  private static let names = ["heads", "clip-encoders", "vit-encoders"]

  /// A finished run.
  private struct Row {
    let method, dataset: String
    let seed, trained: Int
    /// In percent.
    let accuracy: Double
    let seconds: Double

    var place: String { "\(dataset) \(seed)" }

    init(_ line: Substring) throws {
      let fields = line.split(separator: ",").map(String.init)
      try #require(fields.count == 8 && fields[7].count == 64, "\(line)")
      (method, dataset, seed) = (fields[0], fields[1], try #require(Int(fields[2])))
      let (correct, total) = (try #require(Double(fields[3])), try #require(Double(fields[4])))
      (accuracy, trained) = (100 * correct / total, try #require(Int(fields[5])))
      seconds = try #require(Double(fields[6]))
    }
  }

  private let results: String

  init() throws {
    results = try String(contentsOf: Fixtures.package.appendingPathComponent("docs/results-field.md"), encoding: .utf8)
  }

  private func rows(_ name: String) throws -> [Row] {
    let file = Fixtures.package.appendingPathComponent("docs/search/\(name)/runs.csv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    try #require(lines.first == "method,dataset,seed,correct,total,trained,seconds,logits")
    return try lines.dropFirst().map(Row.init)
  }

  /// Every run of the plan once, with the settings that won.
  @Test(arguments: names) func theRunsAreThoseOfThePlan(_ name: String) throws {
    let path = Fixtures.package.appendingPathComponent("docs/search/\(name)").path
    let plan = try SweepPlan("\(path).json", out: path)
    #expect(plan.obstacle == nil && plan.choice != nil)
    let wanted = plan.cells.map { "\($0.method) \($0.dataset) \($0.seed)" }
    #expect(try rows(name).map { "\($0.method) \($0.dataset) \($0.seed)" }.sorted() == wanted.sorted())
  }

  /// A line per method: its mean over seeds on every task, over the seen, the foreign (of CLIP's tasks) and all of them
  /// with the standard deviation over seeds, what is trained, and the median of the seconds.
  @Test(arguments: names) func theTableOfTheDocumentFollowsFromTheRuns(_ name: String) throws {
    for (method, rows) in try rows(name).grouped(by: \.method) {
      let tasks = rows.map(\.dataset).unique
      let means = tasks.map { task in Statistic(rows.filter { $0.dataset == task }.map(\.accuracy)).mean }
      let groupMeans = [MiniatureTask.Familiarity.seen, .foreign].compactMap { familiarity in
        let own = zip(tasks, means).filter { name, _ in
          MiniatureTask.named(name).map { $0.suite == .eleven && $0.familiarity == familiarity } ?? false
        }
        return own.isEmpty ? nil : Statistic(own.map(\.1)).mean
      }
      let bySeed = rows.grouped(by: \.seed).map { Statistic($0.1.map(\.accuracy)).mean }
      let cells = (means + groupMeans).map { String(format: "%.1f", $0) }
      let trained = rows.map(\.trained).reduce(into: (Int.max, Int.min)) { ends, count in
        ends = (min(ends.0, count), max(ends.1, count))
      }
      let count = [trained.0, trained.1].unique.map { $0.formatted(.number.locale(Locale(identifier: "en_US"))) }
      let seconds = rows.map(\.seconds).sorted()[rows.count / 2]
      let line = ([method] + cells + [Statistic(bySeed).text(), count.joined(separator: "–")]).joined(separator: " | ")
      let whole = "| \(line) | \(String(format: "%.1f", seconds)) |\n"
      #expect(results.contains(whole), "\(whole)")
    }
  }

  /// The accuracy of a method that the others are compared with, in percent, by task and seed: in the demo's records
  /// for CLIP, in the runs themselves for the vision transformer.
  private static func references(_ name: String, _ rows: [Row]) throws -> [(String, [String: Double])] {
    if name == "vit-encoders" {
      return ["lora", "spt-lora"].map { method in
        (method, Dictionary(uniqueKeysWithValues: rows.filter { $0.method == method }.map { ($0.place, $0.accuracy) }))
      }
    }
    let recorded = try DemoRecord.runs(of: .full).filter { $0.cell.shots == 16 && !$0.cell.isBase }
    return ["task-res", "r-amt"].map { method in
      let own = recorded.filter { $0.cell.method.label == method }.map {
        ("\($0.cell.task.name) \($0.cell.seed)", $0.result.test.accuracy)
      }
      return (method, Dictionary(uniqueKeysWithValues: own))
    }
  }

  /// A line per method: how far two others are above it, a pair for every task and seed.
  @Test(arguments: names) func comparisonsFollowFromTheRuns(_ name: String) throws {
    let all = try rows(name)
    let references = try Self.references(name, all)
    for (method, rows) in all.grouped(by: \.method) where !references.contains(where: { $0.0 == method }) {
      let cells = try references.map { _, accuracies in
        let differences = try rows.grouped(by: \.dataset).map { _, rows in
          Statistic(try rows.map { try #require(accuracies[$0.place]) - $0.accuracy }).mean
        }
        let found = Statistic(differences)
        let bound = 2 * (found.standardError ?? .infinity)
        let verdict = found.mean > bound ? "above" : found.mean < -bound ? "below" : "not told apart"
        return String(format: "%+.1f ± %.1f", found.mean, bound / 2) + " | \(differences.count { $0 > 0 }) | \(verdict)"
      }
      let line = "| \(method) | \(cells.joined(separator: " | ")) |\n"
      #expect(results.contains(line), "\(line)")
    }
  }
}

extension Array {
  /// The elements by a key, keys in the order of their first elements.
  fileprivate func grouped<Key: Hashable>(by key: (Element) -> Key) -> [(Key, [Element])] {
    let groups = Dictionary(grouping: self, by: key)
    return map(key).unique.map { ($0, groups[$0] ?? []) }
  }
}
