import Formats
import Foundation
import Methods
import Tensor

/// Runs that differ only in their seeds: one row of the results.
struct RunGroup {
  /// The name of the dataset; the same name means the same classes.
  let dataset: String
  /// The name of the model; the same name means the same weights.
  let model: String
  let method: String
  /// Images per class; `nil` for all.
  let shots: Int?
  /// True if only base classes were trained on.
  let isBase: Bool
  /// The settings that distinguish it from groups equal in all of the above: `recipe.epochs 40`; else empty.
  fileprivate(set) var setting = ""
  /// The runs by ascending seed.
  let runs: [ReportedRun]

  /// The method, with the settings that distinguish it.
  var label: String { setting.isEmpty ? method : "\(method) (\(setting))" }
  /// `16`, or `all`.
  var shotsText: String { shots.map { "\($0)" } ?? "all" }
  /// `16 shots`
  var shotsPhrase: String { shots == 1 ? "1 shot" : "\(shotsText) shots" }
  /// Its name outside of a table.
  var title: String { "\(label), \(dataset), \(shotsPhrase)\(isBase ? ", base classes" : "")" }
  /// True if the models were selected on the test split.
  var isChosenByTest: Bool { runs.contains { $0.result.selection == .test } }

  /// The statistic of a value that every run has.
  func statistic(_ value: (ReportedRun) -> Double) -> Statistic { Statistic(runs.map(value)) }

  /// The statistic of a value that some runs have; `nil` if none has.
  func known(_ value: (ReportedRun) -> Double?) -> Statistic? {
    let found = runs.compactMap(value)
    return found.isEmpty ? nil : Statistic(found)
  }

  /// The runs whose training diverged.
  var diverged: [ReportedRun] { runs.filter { $0.result.divergence != nil } }
  /// The mark of figures that they are a part of.
  var divergenceMark: String { Divergence.mark(diverged.count) }

  var accuracy: Statistic { statistic { $0.result.test.accuracy } }
  /// The accuracy of the frozen model, which is the same for every seed.
  var zeroShot: Statistic? {
    let found = runs.compactMap { $0.result.zeroShot?.accuracy }
    return found.isEmpty ? nil : Statistic(Set(found).count == 1 ? [found[0]] : found)
  }

  /// The groups of some runs, by dataset, model, classes, method, shots and setting.
  static func all(_ runs: [ReportedRun]) -> [RunGroup] {
    let (datasets, models) = (datasetNames(runs), modelNames(runs))
    var members: [String: [Int]] = [:]
    for (index, run) in runs.enumerated() {
      members[run.settings.withoutSeed + "\n" + datasets[index] + "\n" + models[index], default: []].append(index)
    }
    var groups = members.values.map { indices in
      let settings = runs[indices[0]].settings
      return RunGroup(
        dataset: datasets[indices[0]], model: models[indices[0]], method: settings.title, shots: settings.shots,
        isBase: settings.classes == .base,
        runs: indices.map { runs[$0] }.sorted { ($0.settings.seed, $0.name) < ($1.settings.seed, $1.name) })
    }
    groups.sort { $0.order.lexicographicallyPrecedes($1.order) }
    nameSettings(&groups)
    return groups
  }

  private var order: [String] {
    let number = String(shots ?? Int.max)
    return [
      dataset, model, isBase ? "1" : "0", method, String(repeating: "0", count: 20 - number.count) + number, setting,
      runs.first?.settings.withoutSeed ?? "",
    ]
  }

  /// Labels groups that look alike with the settings in which they differ, and all others of their method and model
  /// likewise, so that a method has one name at all shots and on all datasets.
  private static func nameSettings(_ groups: inout [RunGroup]) {
    let alike = Dictionary(grouping: groups.indices) { groups[$0].order.prefix(5).joined(separator: "\n") }
    var telling: [String: Set<String>] = [:]
    for indices in alike.values where indices.count > 1 {
      let settings = indices.map { groups[$0].runs[0].settings.flattened }
      let keys = Set(settings.flatMap(\.keys)).filter { key in Set(settings.map { $0[key] ?? "none" }).count > 1 }
      telling[groups[indices[0]].row, default: []].formUnion(keys)
    }
    for index in groups.indices {
      guard let keys = telling[groups[index].row] else { continue }
      let own = groups[index].runs[0].settings.flattened
      groups[index].setting = keys.sorted().map { "\($0) \(own[$0] ?? "none")" }.joined(separator: ", ")
    }
  }

  /// The method on its model, whatever the data.
  private var row: String { "\(method)\n\(model)" }

  /// The name of a benchmark or of the folder; with parent folders if other classes have the same name. Folders of
  /// one name and the same classes are one dataset, whatever their paths.
  private static func datasetNames(_ runs: [ReportedRun]) -> [String] {
    unambiguous(
      runs.map { run in
        let path = run.settings.data.path
        let name = run.settings.benchmark?.rawValue ?? URL(fileURLWithPath: path).lastPathComponent
        let classes = run.classes.map { $0.replacing("_", with: " ") }
        return (run.settings.benchmark?.rawValue, path, ([name] + classes).joined(separator: "\n"))
      })
  }

  /// The name of the folder or file; with parent folders if other weights have the same name.
  private static func modelNames(_ runs: [ReportedRun]) -> [String] {
    unambiguous(runs.map { (nil, $0.settings.model.path, $0.settings.model.sha256) })
  }

  /// Unique names for items given by name, path and content; equal content gets the first name that occurs.
  private static func unambiguous(_ things: [(name: String?, path: String, content: String)]) -> [String] {
    var pathOf: [String: (name: String?, path: [String])] = [:]
    for thing in things where pathOf[thing.content] == nil {
      pathOf[thing.content] = (thing.name, URL(fileURLWithPath: thing.path).pathComponents.filter { $0 != "/" })
    }
    func name(_ content: String, _ depth: Int) -> String {
      guard let known = pathOf[content] else { return "" }
      let end = known.path.suffix(depth).joined(separator: "/")
      return depth == 1 ? known.name ?? end : end
    }
    return things.map { thing in
      let others = pathOf.keys.filter { $0 != thing.content }
      let depth = (1...8).first { depth in !others.contains { name($0, depth) == name(thing.content, depth) } }
      // Same names all the way up: a prefix of the content's digest distinguishes them.
      guard let depth else {
        return "\(name(thing.content, 1)) \(SHA256.digest(of: Array(thing.content.utf8)).description.prefix(6))"
      }
      return name(thing.content, depth)
    }
  }
}

extension RunConfiguration {
  /// All settings but the seed and what follows from it, as text: runs with equal text are repetitions.
  fileprivate var withoutSeed: String {
    flattened.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "\n")
  }

  /// Every setting by its path, `recipe.epochs`: without seed, paths, sampled images, the delta of an earlier run, and
  /// the budget that a search selected.
  var flattened: [String: String] {
    var settings = self
    (settings.seed, settings.model.path, settings.data.path, settings.data.sha256) = (0, "", "", "")
    settings.on?.path = ""
    settings.on?.sha256 = ""
    if settings.budgets != nil, let name = MethodName(settings.method) {
      settings.recipe = name.encoder.recipe(settings.recipe, budget: 1)
    }
    return frugal.flattened(settings)
  }
}
