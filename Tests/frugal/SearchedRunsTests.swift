import Datasets
import Foundation
import FrugalTestSupport
import Models
import Testing

@testable import frugal

/// Test accuracies of methods that the demo does not have, at the settings that a search chose: the plans
/// `docs/search/NAME.json`, every run in `NAME/runs.csv`, and tables in docs/results-field.md.
@Suite struct SearchedRunsTests {
  private static let searched = ["heads", "clip-encoders", "vit-encoders"]
  /// Heads on masks and masks on heads, with the settings of their parts.
  private static let pairs = ["pairs", "pairs-heads"]
  /// A head that chooses for itself.
  private static let probe = "vit-heads"

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

  private static func rows(_ name: String) throws -> [Row] {
    let file = Fixtures.package.appendingPathComponent("docs/search/\(name)/runs.csv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    try #require(lines.first == "method,dataset,seed,correct,total,trained,seconds,logits")
    return try lines.dropFirst().map(Row.init)
  }

  /// Every run of the plan once, with the settings that won where they were searched.
  @Test(arguments: searched + pairs + [probe]) func theRunsAreThoseOfThePlan(_ name: String) throws {
    let path = Fixtures.package.appendingPathComponent("docs/search/\(name)").path
    let plan = try SweepPlan("\(path).json", out: path)
    #expect(plan.obstacle == nil && (plan.choice != nil) == Self.searched.contains(name))
    let wanted = plan.cells.map { "\($0.method) \($0.dataset) \($0.seed)" }
    #expect(try Self.rows(name).map { "\($0.method) \($0.dataset) \($0.seed)" }.sorted() == wanted.sorted())
  }

  /// A line per method: its mean over seeds on every task, over the seen, the foreign (of CLIP's tasks) and all of them
  /// with the standard deviation over seeds, what is trained, and the median of the seconds.
  @Test(arguments: searched + pairs + [probe]) func theTableOfTheDocumentFollowsFromTheRuns(_ name: String) throws {
    for (method, rows) in try Self.rows(name).grouped(by: \.method) {
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

  /// Accuracies in percent by task and seed.
  private static func accuracies(_ rows: [Row]) -> [String: Double] {
    Dictionary(uniqueKeysWithValues: rows.map { ($0.place, $0.accuracy) })
  }

  /// Those of a method in the demo's records, CLIP at 16 shots.
  private static func recorded(_ method: String) throws -> [String: Double] {
    let runs = try DemoRecord.runs(of: .full).filter {
      $0.cell.method.label == method && $0.cell.shots == 16 && !$0.cell.isBase
    }
    return Dictionary(
      uniqueKeysWithValues: runs.map { ("\($0.cell.task.name) \($0.cell.seed)", $0.result.test.accuracy) })
  }

  /// How far one method is above another, a pair for every task and seed: the cells of a table.
  private static func comparison(_ upper: [String: Double], above lower: [String: Double]) throws -> String {
    try #require(!upper.isEmpty && Set(upper.keys) == Set(lower.keys))
    let byTask = upper.keys.sorted().grouped { $0.prefix { $0 != " " } }
    let differences = byTask.map { _, places in Statistic(places.map { upper[$0]! - lower[$0]! }).mean }
    let found = Statistic(differences)
    let bound = 2 * (found.standardError ?? .infinity)
    let verdict = found.mean > bound ? "above" : found.mean < -bound ? "below" : "not told apart"
    return String(format: "%+.1f ± %.1f", found.mean, bound / 2) + " | \(differences.count { $0 > 0 }) | \(verdict)"
  }

  /// A line per method: how far TaskRes and R-AMT of the demo are above it, or LoRA and SPT-LoRA with ten epochs for
  /// the vision transformer.
  @Test(arguments: searched + [probe]) func comparisonsFollowFromTheRuns(_ name: String) throws {
    let references =
      name.hasPrefix("vit")
      ? try ["lora", "spt-lora"].map { method in
        (method, Self.accuracies(try Self.rows("vit-encoders").filter { $0.method == method }))
      } : try ["task-res", "r-amt"].map { ($0, try Self.recorded($0)) }
    let methods = try Self.rows(name).grouped(by: \.method)
    for (method, rows) in methods where !references.contains(where: { $0.0 == method }) {
      let cells = try references.map { try Self.comparison($0.1, above: Self.accuracies(rows)) }
      let line = "| \(method) | \(cells.joined(separator: " | ")) |\n"
      #expect(results.contains(line), "\(line)")
    }
  }

  /// A line per pair: how far it is above each of its parts.
  @Test func pairsAreComparedWithTheirParts() throws {
    let methods = try (Self.pairs + ["heads"]).flatMap { try Self.rows($0).grouped(by: \.method) }
    let masks = methods.first { $0.0 == "r-amt" }.map { Self.accuracies($0.1) }
    #expect(try masks == Self.recorded("r-amt"))
    for (pair, rows) in methods {
      let parts = pair.replacing("-on-", with: " ").replacing("+", with: " ").split(separator: " ").map(String.init)
      guard parts.count == 2 else { continue }
      let cells = try parts.map { part in
        let own = methods.first { $0.0 == part }.map { Self.accuracies($0.1) }
        return try Self.comparison(Self.accuracies(rows), above: own ?? Self.recorded(part))
      }
      let line = "| \(pair) | \(cells.joined(separator: " | ")) |\n"
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
