import Formats
import Foundation
import Methods

/// The search of a plan: candidates for the settings of each method, judged on validation splits alone.
///
///     "search": {
///       "grid": {"lr": [1e-3, 3e-3, 1e-2], "epochs": [10, 40]},
///       "methods": {"linear": {"lr": [0.1, 0.3, 1]}},
///       "data": ["birds"], "shots": [16], "seeds": [0]
///     }
///
/// Every method has the same number of candidates, and every candidate the same datasets, images and seeds.
struct SweepSearch {
  /// Values of the searched flags.
  struct Candidate {
    /// `epochs=10,lr=0.001`: the name of its folder.
    let name: String
    let flags: SweepRows.Flags
  }

  /// The folder of its runs in that of the sweep, and the file of its result.
  static let folderName = "search", fileName = "search.json"

  /// The candidates of each method, in the order of the plan's rows.
  let methods: [(name: String, candidates: [Candidate])]
  /// The runs: seeds outermost, then datasets, then candidates.
  let cells: [SweepCell]
  /// The names of the datasets to judge by.
  let data: [String]
  let shots: [String?]
  let seeds: [Int]
  /// The SHA-256 of all that its result follows from: the names and flags of its runs.
  let digest: String

  private let file: String
  /// Flags that are the same for all candidates, or decide what they are judged by.
  private static let fixed = [
    "--model", "--method", "--data", "--data-list", "--split", "--dataset", "--select", "--train-on",
  ]

  /// - root: the folder of the sweep.
  /// - Throws: `RunError` for a search that is none, or unequal without saying so; `UsageError` for flags of a run.
  init(_ found: SweepSearchFile, _ rows: SweepRows, in root: URL) throws {
    let place = "\(rows.file): search"
    file = rows.file
    func known(_ names: [String], among rows: [SweepRows.Row], _ key: String) throws {
      for name in names where !rows.contains(where: { $0.name == name }) {
        let near = suggestion(for: name, among: rows.map(\.name))
        throw RunError("\(place): \(key): expected names of rows of the plan, found \"\(name)\"\(near)")
      }
    }
    try known(found.methods.keys.sorted(), among: rows.methods, "methods")
    let data = found.data ?? rows.data.map(\.name)
    try known(data, among: rows.data, "data")
    guard !data.isEmpty, Set(data).count == data.count else {
      throw RunError("\(place): data: expected different names, found \(data.isEmpty ? "none" : "one twice")")
    }
    guard !rows.data.contains(where: { $0.name == Self.folderName }) else {
      throw RunError("\(rows.file): data: expected no row called \(Self.folderName) beside a search, found one")
    }
    self.data = data
    shots = try found.shots.map { try SweepFile.checked($0, place) } ?? rows.shots
    seeds = try found.seeds.map { try SweepFile.checked($0, place) } ?? rows.seeds
    methods = try rows.methods.map { method in
      let grid = found.grid.merging(found.methods[method.name] ?? [:]) { $1 }
      return (method.name, try Self.candidates(grid, "\(place): \(method.name)"))
    }
    try Self.checkCounts(methods, place, isUnequal: found.isUnequal)
    let each = Double(data.count * shots.count * seeds.count)
    let count = methods.reduce(0) { $0 + Double($1.candidates.count) * each }
    guard count <= Double(SweepPlan.largestCount) else {
      throw RunError("\(place): expected at most \(grouped(SweepPlan.largestCount)) runs, found \(Int(count))")
    }
    cells = try Self.cells(rows, methods, data, shots, seeds, in: root)
    for cell in cells where cell.seed == seeds[0] { try rows.check(cell) }
    digest =
      SHA256.digest(
        of: Array(
          cells.map {
            ([$0.name] + $0.arguments.words(TuneCommand.options, without: ["--out"])).joined(separator: "\t")
          }
          .joined(separator: "\n").utf8)
      ).description
  }

  /// All combinations of the values, the last flag in alphabetical order fastest.
  private static func candidates(_ grid: SweepSearchFile.Grid, _ place: String) throws -> [Candidate] {
    var found: [SweepRows.Flags] = [[:]]
    for (key, values) in grid.sorted(by: { $0.key < $1.key }) where !values.isEmpty {
      let flags = try values.map { try SweepRows.flags([key: $0], place, without: fixed) }
      found = found.flatMap { first in flags.map { first.merging($0) { $1 } } }
      guard found.count <= SweepPlan.largestCount else {
        throw RunError("\(place): expected at most \(grouped(SweepPlan.largestCount)) candidates, found more")
      }
    }
    let candidates = found.map { Candidate(name: name($0), flags: $0) }
    guard Set(candidates.map(\.name)).count == candidates.count else {
      throw RunError("\(place): expected different values of each flag, found one twice")
    }
    return candidates
  }

  private static func name(_ flags: SweepRows.Flags) -> String {
    let parts = flags.sorted { $0.key < $1.key }.map { flag, values in
      let text = values.joined(separator: "+")
      return "\(flag.dropFirst(2))" + (text.isEmpty ? "" : "=\(text)")
    }
    let text = parts.isEmpty ? "as-stated" : parts.joined(separator: ",")
    return SweepRows.isFolderName(text) ? text : "\(SHA256.digest(of: Array(text.utf8)).description.prefix(16))"
  }

  private static func checkCounts(
    _ methods: [(name: String, candidates: [Candidate])], _ place: String, isUnequal: Bool
  ) throws(RunError) {
    let counts = methods.map(\.candidates.count)
    guard counts.contains(where: { $0 > 1 }) else {
      throw RunError("\(place): grid: expected 2 or more candidates for a method, found 1 for each")
    }
    guard isUnequal || Set(counts).count == 1 else {
      let list = methods.map { "\($0.name) \($0.candidates.count)" }.joined(separator: ", ")
      throw RunError(
        "\(place): expected the same number of candidates for every method, found \(list) "
          + "(\"unequal\": true compares them all the same)")
    }
  }

  private static func cells(
    _ rows: SweepRows, _ methods: [(name: String, candidates: [Candidate])], _ data: [String], _ shots: [String?],
    _ seeds: [Int], in root: URL
  ) throws -> [SweepCell] {
    var cells: [SweepCell] = []
    let most = methods.map(\.candidates.count).max() ?? 0
    for seed in seeds {
      for row in rows.data where data.contains(row.name) {
        for index in 0..<most {
          for (method, (name, candidates)) in zip(rows.methods, methods) where index < candidates.count {
            let candidate = candidates[index]
            for images in shots {
              var cell = try rows.cell(
                method, row, shots: images, seed: seed, in: root, [folderName, name, candidate.name, row.name]
              ) {
                $0.merge(candidate.flags) { $1 }
                $0["--evaluate-on"] = ["val"]
                // What is trained on both splits afterwards is judged without the second, at the same epoch.
                if $0.removeValue(forKey: "--train-on") == ["train+val"] { $0["--select"] = ["last"] }
              }
              cell.candidate = candidate.name
              cells.append(cell)
            }
          }
        }
      }
    }
    return cells
  }

  /// What the search of a folder chose, or why that is not known.
  ///
  /// - Throws: `FileError` for a file that cannot be read.
  func choice(in root: URL) throws -> (SearchResult?, RunError?) {
    let url = root.appendingPathComponent(Self.fileName)
    let again = "frugal sweep \(shellQuoted(file)) --search"
    guard FileManager.default.fileExists(atPath: url.path) else {
      return (nil, RunError("\(url.shown): missing: the settings of the plan are not chosen yet (\(again))"))
    }
    let bytes = try MappedFile.bytes(of: url, limit: 1 << 28)
    guard let found = try? JSON.decoded(SearchResult.self, from: bytes), found.digest != digest || found.fits(self)
    else {
      return (nil, RunError("\(url.shown): expected the result of a search, found other contents (\(again))"))
    }
    guard found.digest == digest else {
      return (
        nil,
        RunError(
          "\(url.shown): expected the result of the plan's search, found that of another, as the plan has been edited "
            + "since (\(again))")
      )
    }
    return (found, nil)
  }

  /// The flags of the candidate that won; `nil` if none could be judged.
  func flags(of method: String, chosenBy result: SearchResult) -> SweepRows.Flags? {
    let winner = result.methods.first { $0.method == method }?.winner
    let candidates = methods.first { $0.name == method }?.candidates ?? []
    return winner.flatMap { name in candidates.first { $0.name == name }?.flags }
  }
}
