import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// A finished run of the full demo, as it comes with frugal: one line of `runs.jsonl` beside the small models.
struct DemoRecord: Codable {
  /// The folder of the run within that of the demo.
  let path: String
  /// SHA-256 of all that decides its numbers: its command, the weights of its model, the version of the world.
  let settings: String
  /// Its result, but for single masks and budgets.
  let result: RunResult
  /// The seconds that its user waited, if they were measured.
  let seconds: Double?

  /// The record of a finished run.
  init(_ run: DemoTable.Finished) throws(FileError) {
    (path, settings, seconds) = (run.cell.path, try Self.settings(of: run.cell), run.seconds)
    var result = run.result
    (result.masks, result.budgets) = (nil, nil)
    self.result = result
  }

  /// The digest of what decides the numbers of a run.
  static func settings(of cell: DemoPlan.Cell) throws(FileError) -> String {
    let weights = try weights[cell.task.suite]!.get()
    let words = cell.words(in: "demo", model: weights) + ["\(MiniatureWorld.version)"]
    return SHA256.digest(of: Array(words.joined(separator: "\0").utf8)).description
  }

  /// The digests of the two models, each read once.
  private static let weights: [MiniatureTask.Suite: Result<String, FileError>] = Dictionary(
    uniqueKeysWithValues: [(MiniatureTask.Suite.eleven, MiniatureModels.clip), (.vtab, MiniatureModels.vit)].map {
      suite, folder in
      (
        suite,
        Result { () throws(FileError) in
          try SHA256.digest(of: folder.appendingPathComponent("model.safetensors")).description
        }
      )
    })

  /// The recorded runs of a plan, those alone whose settings are still what the plan says.
  ///
  /// - Throws: `FileError` for a file that cannot be read, or a line that is no record.
  static func runs(of plan: DemoPlan, in file: URL = MiniatureModels.runs) throws -> [DemoTable.Finished] {
    guard FileManager.default.fileExists(atPath: file.path) else { return [] }
    let cells = Dictionary(uniqueKeysWithValues: plan.cells.map { ($0.path, $0) })
    let records: [DemoRecord] = try JSON.lines(of: file, "a recorded run")
    return try records.compactMap { record in
      guard let cell = cells[record.path], try settings(of: cell) == record.settings else { return nil }
      return (cell, record.result, record.seconds)
    }
  }

  /// Writes finished runs, one line each, in the order of the plan.
  static func write(_ runs: [DemoTable.Finished], to file: URL) throws {
    let lines = try runs.map { Array(try JSON.encoded(DemoRecord($0))) + [10] }
    try AtomicFile.write(Array(lines.joined()), to: file)
  }

  /// How runs that were just trained compare with their records: the same predictions to the last bit, or which are
  /// not; `nil` if none is recorded.
  static func comparison(of runs: [DemoTable.Finished], with recorded: [DemoTable.Finished]) -> String? {
    let known = Dictionary(uniqueKeysWithValues: recorded.map { ($0.cell.path, $0.result.test.logitsSHA256) })
    let pairs = runs.compactMap { run in known[run.cell.path].map { (run, $0) } }
    guard !pairs.isEmpty else { return nil }
    let others = pairs.filter { $0.0.result.test.logitsSHA256 != $0.1 }.map(\.0.cell.path)
    let sentence =
      "Of the \(plural(runs.count, "run")) trained here \(pairs.count) \(pairs.count == 1 ? "is" : "are") recorded"
    return others.isEmpty
      ? "\(sentence): every logit is that of the record, to the last bit."
      : "\(sentence); other logits than the record's: \(others.joined(separator: ", "))."
  }
}
