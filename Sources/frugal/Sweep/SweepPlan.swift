import Formats
import Foundation
import Methods

/// Many runs: every method on every dataset, with every number of shots and every seed.
///
///     {
///       "settings": {"model": "clip", "epochs": 50},
///       "methods": ["linear", {"name": "lora-8", "method": "lora+linear", "rank": 8}],
///       "data": ["photos/birds", {"data": "photos/cars", "template": "a photo of a {}, a car."}],
///       "shots": [1, 4, 16],
///       "seeds": [1, 2, 3],
///       "search": {"grid": {"lr": [1e-4, 1e-3, 1e-2]}, "data": ["birds"], "seeds": [0]}
///     }
///
/// All but `methods`, `data`, `shots`, `seeds`, `settings`, `search`, `out` and `name` are flags of `frugal tune`
/// without dashes. In `on`, the run to train on top of, `{out}` is the folder of the sweep, and `{data}`, `{shots}` and
/// `{seed}` are those of each run. Flags of a method come before those of a dataset, and those before `settings`; what
/// a search chose comes before all of them.
struct SweepPlan {
  /// The file, as messages name it.
  let file: String
  /// The folder of the sweep.
  let out: URL
  /// In the order of execution: seeds outermost, so that an interrupted sweep has every method once. Methods for which
  /// a search found nothing have none.
  let cells: [SweepCell]
  /// The candidates for its settings; `nil` if the plan states them all.
  let search: SweepSearch?
  /// What the search chose; `nil` until it is over.
  let choice: SearchResult?
  /// Why the runs cannot begin, as their settings are not chosen; `nil` if they can.
  let obstacle: RunError?

  /// The largest number of runs.
  static let largestCount = 100_000
  private static let sizeLimit = 1 << 20

  /// Reads a plan, and checks all flags of all its runs.
  ///
  /// - out: the folder of the sweep, instead of that in the plan.
  /// - Throws: `RunError` for a file that is no plan; `UsageError` or `SettingError` for flags of a run.
  init(_ path: String, out: String?) throws {
    let shown = FileName.shown(path)
    file = shown
    let url = URL(fileURLWithPath: path)
    let found = try Self.read(url, shown)
    let root = URL(
      fileURLWithPath: out ?? found.out ?? "runs/\(url.deletingPathExtension().lastPathComponent)")
    self.out = root
    let rows = try SweepRows(found, in: shown)
    let search = try found.search.map { try SweepSearch($0, rows, in: root) }
    let (choice, obstacle) = try search.map { try $0.choice(in: root) } ?? (nil, nil)
    (self.search, self.choice, self.obstacle) = (search, choice, obstacle)
    let count = [rows.methods.count, rows.data.count, rows.shots.count].reduce(Double(rows.seeds.count)) {
      $0 * Double($1)
    }
    guard count >= 1, count <= Double(Self.largestCount) else {
      throw RunError("\(shown): expected 1 to \(grouped(Self.largestCount)) runs, found \(Int(count))")
    }
    var cells: [SweepCell] = []
    for seed in rows.seeds {
      for data in rows.data {
        for method in rows.methods {
          let chosen = choice.map { search?.flags(of: method.name, chosenBy: $0) } ?? [:]
          guard let chosen else { continue }
          for shots in rows.shots {
            cells.append(
              try rows.cell(method, data, shots: shots, seed: seed, in: root, [data.name, method.name]) {
                $0.merge(chosen) { $1 }
              })
          }
        }
      }
    }
    self.cells = cells
    for cell in cells where cell.seed == rows.seeds[0] { try rows.check(cell) }
  }

  private static func read(_ url: URL, _ shown: String) throws -> SweepFile {
    let bytes = try MappedFile.text(of: url, limit: sizeLimit)
    do { return try JSON.decoded(SweepFile.self, from: bytes) } catch let error as DecodingError {
      throw RunError("\(shown): expected the plan of a sweep, found other JSON (\(SweepFile.reason(error)))")
    } catch {
      throw RunError("\(shown): expected the plan of a sweep, found \(error)")
    }
  }
}
