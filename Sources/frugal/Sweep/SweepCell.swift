import Formats
import Foundation
import Methods

/// One run of a sweep.
struct SweepCell: Sendable {
  /// The names of its rows in the plan.
  let dataset, method: String
  /// Images per class as in `--shots`; `nil` where the plan leaves them to the method.
  let shots: String?
  let seed: Int
  /// Its candidate in a search, whose runs end with the validation split; `nil` for a run of the plan itself.
  var candidate: String?
  /// Its folder within that of the sweep.
  let name: String
  /// The folder of the run.
  let folder: RunFolder
  /// What `frugal tune` would be given.
  let arguments: Arguments
  /// Folders with other data that it is tested on at its end.
  var transfer: [String] = []

  /// The words after `frugal tune`, those of `--out` included.
  var words: [String] { arguments.words(TuneCommand.options) }

  /// What the run records as its command.
  var command: [String] { [TuneCommand.name] + words }

  /// True once its accuracy is written.
  var isTrained: Bool { candidate == nil ? folder.isFinished : folder.isValidated }

  /// The run of the same sweep on top of which it is trained, if there is one.
  func earlier(among cells: [SweepCell]) -> SweepCell? {
    guard let path = arguments.string("--on") else { return nil }
    let folder = URL(fileURLWithPath: path).standardizedFileURL.path
    return cells.first { $0.name != name && $0.folder.url.standardizedFileURL.path == folder }
  }

  /// The command that completes it, one or several.
  var commands: [[String]] {
    isTrained ? openTransfers.map { ["evaluate", "--run", folder.url.relativePath, "--data", $0] } : [command]
  }

  /// True once its accuracies on other data are written, too.
  var isFinished: Bool { isTrained && openTransfers.isEmpty }

  /// The folders with other data that it was not tested on; of a candidate none.
  var openTransfers: [String] {
    guard candidate == nil, !transfer.isEmpty else { return [] }
    guard let evaluation = try? TransferEvaluation(folder) else { return transfer }
    return transfer.filter { !evaluation.isTested(on: $0) }
  }

  /// Trains the run to its end.
  ///
  /// - Returns: its accuracy in percent: on the test split, or of a candidate on the validation split.
  /// - Throws: as `RunPresenter.train`.
  func train(_ run: Run, _ presenter: RunPresenter) throws -> Double {
    candidate == nil ? try presenter.train(run).test.accuracy : try presenter.validate(run).validation.accuracy
  }

  /// The run: from its beginning, or from where it was stopped.
  ///
  /// - Throws: `RunError` if the folder holds a run with other settings; what `tune` throws.
  func run() throws -> Run {
    try requireOwnRun()
    if folder.isBegun { return try Run(resuming: folder) }
    var run = try TuneFlags.new(arguments)
    run.command = command
    return run
  }

  /// Checks that a run in the folder is of this cell, as plans are edited.
  ///
  /// - Throws: `RunError` with the first difference.
  func requireOwnRun() throws(RunError) {
    guard folder.isBegun, let found = folder.storedPaths?.command else { return }
    // The folder may have moved.
    func flags(_ words: [String]) throws(UsageError) -> [String] {
      try Arguments(words.dropFirst(), options: TuneCommand.options)
        .words(TuneCommand.options, without: TuneCommand.unrecorded.union(["--out"]))
    }
    guard let (own, others) = try? (flags(command), flags(found)), own != others else { return }
    let count = zip(own, others).prefix { $0 == $1 }.count
    func rest(_ words: [String]) -> String {
      let rest = words.dropFirst(max(0, count - 1)).prefix(3).joined(separator: " ")
      return rest.isEmpty ? "nothing more" : rest
    }
    throw RunError(
      "\(folder.url.shown): expected the run of the plan (\(rest(own))), found one with other settings "
        + "(\(rest(others))); give the row another name, or remove the folder")
  }
}
