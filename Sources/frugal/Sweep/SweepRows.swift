import Formats
import Foundation
import Methods

/// The rows of a plan: methods and datasets with their flags, numbers of images, seeds.
struct SweepRows {
  /// Values by flag.
  typealias Flags = [String: [String]]

  /// A method or a dataset. Its name is that of a folder.
  struct Row {
    let name: String
    let flags: Flags
    /// Folders with other data to test on.
    var transfer: [String] = []
  }

  /// The plan's file, as messages name it.
  let file: String
  let methods, data: [Row]
  let shots: [String?]
  let seeds: [Int]
  private let common: Flags

  /// Flags that a plan has no place for, and what it has instead.
  private static let reserved = [
    "--seed": "seeds", "--shots": "shots", "--out": "out", "--resume": "no such flag", "--json": "no such flag",
    "--dry-run": "no such flag", "--print-config": "no such flag", "--evaluate-on": "no such flag",
    "--cache": "no such flag", "--cache-size": "no such flag",
  ]

  /// - Throws: `RunError` and `UsageError` for rows that are none.
  init(_ found: SweepFile, in file: String) throws {
    self.file = file
    common = try Self.flags(found.settings, "\(file): settings", without: ["--method", "--data"])
    methods = try Self.named(found.methods, "methods", in: file) { row, place in
      let own = try Self.flags(row.flags, "\(file): \(place)", without: ["--data", "--data-list"])
      guard let method = own["--method"]?.first else {
        throw RunError("\(file): \(place): expected a method, found none")
      }
      guard row.transfer.isEmpty else {
        throw RunError("\(file): \(place): transfer: expected it in rows of data, found it here")
      }
      return Row(name: row.name ?? method, flags: own)
    }
    data = try Self.named(found.data, "data", in: file) { row, place in
      let own = try Self.flags(row.flags, "\(file): \(place)", without: ["--method"])
      guard let path = own["--data"]?.first ?? own["--data-list"]?.first else {
        throw RunError("\(file): \(place): expected data or data-list, found neither")
      }
      let name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
      let names = row.transfer.map(TransferTest.name)
      if let wrong = row.transfer.first(where: { $0.isEmpty || !Self.isFolderName(TransferTest.name(of: $0)) }) {
        throw RunError("\(file): \(place): transfer: expected folders, found \"\(FileName.shown(wrong))\"")
      }
      guard Set(names).count == names.count else {
        throw RunError("\(file): \(place): transfer: expected folders of different names, found \(row.transfer)")
      }
      return Row(name: row.name ?? name, flags: own, transfer: row.transfer)
    }
    (shots, seeds) = (try found.checkedShots(file), try found.checkedSeeds(file))
  }

  /// The flags of an object of the plan.
  ///
  /// - without: flags that have rows of their own.
  /// - Throws: `UsageError` for one that has no place in it.
  static func flags(_ found: [String: ConfigFile.Value], _ place: String, without: [String]) throws(UsageError) -> Flags
  {
    let values = try ConfigFile.values(of: found, options: TuneCommand.options, in: place)
    for flag in values.keys.sorted() {
      guard let instead = reserved[flag] ?? (without.contains(flag) ? "it in rows of its own" : nil) else { continue }
      throw UsageError("\(place): \(flag.dropFirst(2)): expected \(instead) in a plan, found it here")
    }
    return values
  }

  /// One run: flags of the method come before those of the dataset, and those before the settings of all.
  ///
  /// - root: the folder of the sweep; folder: that of the run in it, before dataset, shots and seed.
  /// - changes: what is to be different in the flags, last.
  func cell(
    _ method: Row, _ data: Row, shots: String?, seed: Int, in root: URL, _ folder: [String],
    changes: (inout Flags) -> Void
  ) throws(UsageError) -> SweepCell {
    let name = (folder + [shots.map { "\($0)-shot" }, "seed-\(seed)"].compactMap(\.self)).joined(separator: "/")
    let place = root.appendingPathComponent(name)
    var flags = common.merging(data.flags) { $1 }.merging(method.flags) { $1 }
    flags["--seed"] = ["\(seed)"]
    flags["--out"] = [place.relativePath]
    if let shots { flags["--shots"] = [shots] }
    changes(&flags)
    // The run to train on top of, which is another one for every dataset, number of shots and seed.
    flags["--on"] = flags["--on"]?.map { path in
      [("{out}", root.relativePath), ("{data}", data.name), ("{shots}", shots ?? ""), ("{seed}", "\(seed)")]
        .reduce(path) { $0.replacing($1.0, with: $1.1) }
    }
    let words = TuneCommand.options.flatMap { option in
      (flags[option.flag] ?? []).map { option.value == nil ? option.flag : "\(option.flag)=\($0)" }
    }
    return SweepCell(
      dataset: data.name, method: method.name, shots: shots, seed: seed, name: name, folder: RunFolder(place),
      arguments: try Arguments(words, options: TuneCommand.options), transfer: data.transfer)
  }

  /// What `tune` checks of a run before it reads anything.
  ///
  /// - Throws: `UsageError` that names the run.
  func check(_ cell: SweepCell) throws {
    do {
      try TuneCommand.requireFlags(cell.arguments)
      _ = try TuneFlags.request(cell.arguments)
    } catch let error as UsageError {
      throw UsageError("\(file): \(cell.name): \(error)")
    } catch let error as SettingError {
      throw UsageError("\(file): \(cell.name): \(UsageError(error))")
    }
  }

  /// The rows of a part of the plan with their names, which are names of folders and differ.
  private static func named(
    _ rows: [SweepFile.Row], _ part: String, in file: String, _ read: (SweepFile.Row, String) throws -> Row
  ) throws -> [Row] {
    guard !rows.isEmpty else { throw RunError("\(file): \(part): expected at least one, found none") }
    var seen: Set<String> = []
    return try rows.enumerated().map { index, found in
      let place = "\(part) \(index + 1)"
      let row = try read(found, place)
      guard isFolderName(row.name) else {
        let shown = FileName.shown(row.name)
        throw RunError("\(file): \(place): name: expected the name of a folder, found \"\(shown)\"")
      }
      guard seen.insert(row.name).inserted else {
        let shown = FileName.shown(row.name)
        throw RunError("\(file): \(part): expected rows with different names, found two called \(shown)")
      }
      return row
    }
  }

  /// Whether a text can be the name of a folder, and is not too long beside others.
  static func isFolderName(_ text: String) -> Bool {
    !text.isEmpty && text.first != "." && !text.contains("/") && text.utf8.count <= 100
      && text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
  }
}
