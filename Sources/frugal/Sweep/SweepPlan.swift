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
///       "seeds": [1, 2, 3]
///     }
///
/// All but `methods`, `data`, `shots`, `seeds`, `settings`, `out` and `name` are flags of `frugal tune` without dashes.
/// Those of a method come before those of a dataset, and those before `settings`.
struct SweepPlan {
  /// The file, as messages name it.
  let file: String
  /// The folder of the sweep.
  let out: URL
  /// In the order of execution: seeds outermost, so that an interrupted sweep has every method once.
  let cells: [SweepCell]

  private static let largestCount = 100_000
  private static let sizeLimit = 1 << 20
  /// Flags that a plan has no place for, and what it has instead.
  private static let reserved = [
    "--seed": "seeds", "--shots": "shots", "--out": "out", "--resume": "no such flag", "--json": "no such flag",
    "--dry-run": "no such flag", "--cache": "no such flag", "--cache-size": "no such flag",
  ]

  /// Reads a plan, and checks all flags of all its runs.
  ///
  /// - out: the folder of the sweep, instead of that in the plan.
  /// - Throws: `RunError` for a file that is no plan; `UsageError` or `SettingError` for flags of a run.
  init(_ path: String, out: String?) throws {
    let shown = FileName.shown(path)
    file = shown
    let url = URL(fileURLWithPath: path)
    let bytes = try MappedFile.bytes(of: url, limit: Self.sizeLimit)
    let found: SweepFile
    do { found = try JSON.decoded(SweepFile.self, from: bytes) } catch let error as DecodingError {
      throw RunError("\(shown): expected the plan of a sweep, found other JSON (\(SweepFile.reason(error)))")
    } catch {
      throw RunError("\(shown): expected the plan of a sweep, found \(error)")
    }
    let root = URL(
      fileURLWithPath: out ?? found.out ?? "runs/\(url.deletingPathExtension().lastPathComponent)")
    self.out = root

    func values(_ flags: [String: ConfigFile.Value], _ place: String, without: [String]) throws -> [String: [String]] {
      let values = try ConfigFile.values(of: flags, options: TuneCommand.options, in: "\(shown): \(place)")
      for flag in values.keys.sorted() {
        guard let instead = Self.reserved[flag] ?? (without.contains(flag) ? "it in rows of its own" : nil) else {
          continue
        }
        throw UsageError("\(shown): \(place): \(flag.dropFirst(2)): expected \(instead) in a plan, found it here")
      }
      return values
    }
    let common = try values(found.settings, "settings", without: ["--method", "--data"])
    let methods = try Self.named(found.methods, "methods", in: shown) { row, place in
      let own = try values(row.flags, place, without: ["--data", "--data-list"])
      guard let method = own["--method"]?.first else {
        throw RunError("\(shown): \(place): expected a method, found none")
      }
      return (row.name ?? method, own)
    }
    let data = try Self.named(found.data, "data", in: shown) { row, place in
      let own = try values(row.flags, place, without: ["--method"])
      guard let path = own["--data"]?.first ?? own["--data-list"]?.first else {
        throw RunError("\(shown): \(place): expected data or data-list, found neither")
      }
      return (row.name ?? URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent, own)
    }
    let (shots, seeds) = (try found.checkedShots(shown), try found.checkedSeeds(shown))
    let count = [methods.count, data.count, shots.count].reduce(Double(seeds.count)) { $0 * Double($1) }
    guard count >= 1, count <= Double(Self.largestCount) else {
      throw RunError("\(shown): expected 1 to \(grouped(Self.largestCount)) runs, found \(Int(count))")
    }
    var cells: [SweepCell] = []
    for seed in seeds {
      for (dataset, dataFlags) in data {
        for (method, methodFlags) in methods {
          for images in shots {
            let name = [dataset, method, images.map { "\($0)-shot" }, "seed-\(seed)"].compactMap(\.self)
              .joined(separator: "/")
            let folder = root.appendingPathComponent(name)
            var flags = common.merging(dataFlags) { $1 }.merging(methodFlags) { $1 }
            flags["--seed"] = ["\(seed)"]
            flags["--out"] = [folder.relativePath]
            if let images { flags["--shots"] = [images] }
            cells.append(
              SweepCell(
                dataset: dataset, method: method, shots: images, seed: seed, name: name, folder: RunFolder(folder),
                arguments: try Self.arguments(flags)))
          }
        }
      }
    }
    self.cells = cells
    for cell in cells where cell.seed == seeds[0] {
      do { _ = try Self.checked(cell) } catch let error as UsageError {
        throw UsageError("\(shown): \(cell.name): \(error)")
      } catch let error as SettingError {
        throw UsageError("\(shown): \(cell.name): \(UsageError(error))")
      }
    }
  }

  /// What `tune` checks before it reads anything.
  private static func checked(_ cell: SweepCell) throws -> RunRequest {
    try TuneCommand.requireFlags(cell.arguments)
    return try TuneFlags.request(cell.arguments)
  }

  private static func arguments(_ flags: [String: [String]]) throws(UsageError) -> Arguments {
    let words = TuneCommand.options.flatMap { option in
      (flags[option.flag] ?? []).map { option.value == nil ? option.flag : "\(option.flag)=\($0)" }
    }
    return try Arguments(words, options: TuneCommand.options)
  }

  /// The rows of a part of the plan with their names, which are names of folders and differ.
  private static func named(
    _ rows: [SweepFile.Row], _ part: String, in file: String,
    _ read: (SweepFile.Row, String) throws -> (name: String, flags: [String: [String]])
  ) throws -> [(name: String, flags: [String: [String]])] {
    guard !rows.isEmpty else { throw RunError("\(file): \(part): expected at least one, found none") }
    var seen: Set<String> = []
    return try rows.enumerated().map { index, row in
      let place = "\(part) \(index + 1)"
      let (name, flags) = try read(row, place)
      guard !name.isEmpty, name.first != ".", !name.contains("/"), name.utf8.count <= 100,
        name.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
      else {
        throw RunError("\(file): \(place): name: expected the name of a folder, found \"\(FileName.shown(name))\"")
      }
      guard seen.insert(name).inserted else {
        throw RunError("\(file): \(part): expected rows with different names, found two called \(FileName.shown(name))")
      }
      return (name, flags)
    }
  }
}
