import Formats
import Foundation
import Methods
import Models
import Tensor

/// The output of `frugal sensitivity`: the scores, the allocations of all budgets, a chart.
struct SensitivityReport {
  static let files = ["sensitivity.safetensors", "allocations.json", "sensitivity.svg"]

  /// The allocation of a budget.
  struct Entry: Codable {
    let budget: Int
    let form: StructuredForm
    let threshold: Int
    /// The parameters that count, and of these those that are trained; `nil` in older files.
    let total: Int
    let trained: Int?
    let structured: Int
    let unstructured: Int
    let classToken: Int
    /// Sites whose matrix gets a module.
    let modules: [String]
    /// Sites whose vector is tuned whole.
    let vectors: [String]
    /// The number of single entries tuned at other sites.
    let entries: [String: Int]
  }

  /// `allocations.json`
  struct Allocations: Codable {
    let model: String
    let seed: UInt64
    let samples: Int
    let batch: Int
    let rules: [Allocation.Rules]
    let allocations: [Entry]
    /// `nil` in older files.
    let mostSensitive: MostSensitive?
  }

  /// The distribution of the charted weights.
  struct MostSensitive: Codable {
    /// The most sensitive weights that were counted.
    let count: Int
    /// The number of them at each site.
    let sites: [String: Int]
  }

  private let survey: SensitivitySurvey
  private let allocations: Allocations
  private let chart: SensitivityChart

  init(
    _ survey: SensitivitySurvey, budgets: [Int], rules: [Allocation.Rules], shown: Int, model: String, seed: UInt64,
    batch: Int
  ) throws {
    self.survey = survey
    // As `tune` allocates by default.
    let fidelity = Fidelity.official
    let settings = rules.flatMap { rules in budgets.map { Budget(parameters: $0, rules: rules) } }
    let deepest = survey.ranking(for: settings, fidelity, atLeast: shown)
    let names = survey.sites.map(\.parameter.site.name)
    let entries = try settings.map { budget in
      let found = try survey.allocation(budget, deepest, fidelity)
      return Entry(
        found, budget: budget.parameters, trained: found.trained(survey.sites, fidelity), budget.rules.form, names)
    }
    chart = SensitivityChart(survey, deepest, first: shown)
    allocations = Allocations(
      model: model, seed: seed, samples: survey.samples, batch: batch, rules: rules, allocations: entries,
      mostSensitive: MostSensitive(count: min(shown, deepest.count), sites: chart.counts))
  }

  /// Writes all three files; none if the folder cannot be made, or while another process is writing in it.
  func write(to folder: URL) throws {
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw UsageError(
        "--out", expected: "a folder that can be written", found: "\(folder.path): \(error.localizedDescription)")
    }
    let lock = try FolderLock(folder)
    defer { withExtendedLifetime(lock) {} }
    var writer = SafeTensorsWriter(metadata: ["model": allocations.model, "samples": "\(allocations.samples)"])
    for (site, scores) in zip(survey.sites, survey.scores) { writer.add(site.parameter.site.name, scores) }
    try writer.write(to: folder.appendingPathComponent(Self.files[0]))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    try AtomicFile.write(
      Array(try encoder.encode(allocations)) + [10], to: folder.appendingPathComponent(Self.files[1]))
    try AtomicFile.write(Array(chart.svg.utf8), to: folder.appendingPathComponent(Self.files[2]))
  }

  /// The output of `--json`: the allocations in numbers, which `allocations.json` has in full.
  struct Listing: Encodable {
    struct Row: Encodable {
      let budget: Int
      let form: StructuredForm
      let trained, modules, vectors, singleEntries: Int
    }

    let weights, samples: Int
    let allocations: [Row]
    let files: [String]
  }

  /// The listing, for the folder that was written.
  func listing(in path: String) -> Listing {
    Listing(
      weights: survey.count, samples: survey.samples,
      allocations: allocations.allocations.map { entry in
        .init(
          budget: entry.budget, form: entry.form, trained: entry.trained ?? entry.total, modules: entry.modules.count,
          vectors: entry.vectors.count, singleEntries: entry.unstructured)
      }, files: Self.files.map { "\(path)/\($0)" })
  }

  /// One row per allocation: budgets between which a model of this size has no other are named in one.
  static func rows(_ entries: [Listing.Row]) -> [[String]] {
    var rows: [(budgets: [Int], cells: [String])] = []
    for entry in entries {
      let cells = [
        entry.form.rawValue, grouped(entry.trained), "\(entry.modules)", "\(entry.vectors)",
        grouped(entry.singleEntries),
      ]
      if rows.last?.cells == cells {
        rows[rows.count - 1].budgets.append(entry.budget)
      } else {
        rows.append(([entry.budget], cells))
      }
    }
    return rows.map { budgets, cells in
      let range =
        budgets.count == 1 ? grouped(budgets[0]) : "\(grouped(budgets[0]))–\(grouped(budgets[budgets.count - 1]))"
      return [cells[0], range] + cells.dropFirst()
    }
  }

  func summary(in path: String) -> String {
    let rows = Self.rows(listing(in: path).allocations)
    let table = aligned([["", "budget", "trained", "modules", "vectors", "single entries"]] + rows, rightFrom: 1)
    return """
      sensitivity of \(grouped(survey.count)) weights on \(survey.samples) images

      \(table)

      written         \(Self.files.map { "\(path)/\($0)" }.joined(separator: ", "))
      """
  }
}

extension SensitivityReport.Entry {
  init(_ found: Allocation, budget: Int, trained: Int, _ form: StructuredForm, _ names: [String]) {
    self.init(
      budget: budget, form: form, threshold: found.threshold, total: found.total, trained: trained,
      structured: found.structured,
      unstructured: found.unstructured, classToken: found.classToken, modules: found.modules.map { names[$0] },
      vectors: found.vectors.map { names[$0] },
      entries: Dictionary(uniqueKeysWithValues: zip(names, found.entries).filter { $1 > 0 }.map { ($0, $1) }))
  }
}
