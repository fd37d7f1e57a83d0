import Formats
import Foundation
import Tensor

/// The folder of a run: `config.json`, `inputs.jsonl`, `metrics.jsonl`, `checkpoint.safetensors`, `delta.safetensors`,
/// `predictions.jsonl`, `timing.json`, `card.md`, `result.json`; of a run on top of another, `on.safetensors`; of a
/// search among budgets, `budgets.json` and the folders of its parts besides; of a run whose head is built on another
/// training, that in `base`; of a run that ends with the validation split, `validation.json` instead of a result.
public struct RunFolder: Sendable {
  /// The folder.
  public let url: URL

  /// The folder at a path; nothing is read or written.
  public init(_ url: URL) { self.url = url }

  /// The folder at a path; nothing is read or written.
  public init(at path: String) { self.init(URL(fileURLWithPath: path)) }

  /// Every setting of the run.
  public var configuration: URL { url.appendingPathComponent("config.json") }
  /// One line per epoch.
  public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
  /// Everything needed to resume.
  public var checkpoint: URL { url.appendingPathComponent("checkpoint.safetensors") }
  /// The delta.
  public var delta: URL { url.appendingPathComponent("delta.safetensors") }
  /// What the delta is, for whoever finds it.
  public var card: URL { url.appendingPathComponent("card.md") }
  /// The result.
  public var result: URL { url.appendingPathComponent("result.json") }
  /// The accuracy on the validation split of a run that ends with it.
  public var validation: URL { url.appendingPathComponent("validation.json") }
  /// One line per test image.
  public var predictions: URL { url.appendingPathComponent("predictions.jsonl") }
  /// The split of every image, if it was drawn: a list with path, label and split.
  public var split: URL { url.appendingPathComponent("split.csv") }
  /// Measured times.
  package var timing: URL { url.appendingPathComponent("timing.json") }
  /// The score of each budget of a search.
  package var budgets: URL { url.appendingPathComponent("budgets.json") }
  /// The run of one budget of a search.
  package func part(_ budget: Int) -> RunFolder { RunFolder(url.appendingPathComponent("budget-\(budget)")) }
  /// The training that comes first.
  package var base: RunFolder { RunFolder(url.appendingPathComponent("base")) }
  /// True if a run has finished here.
  public var isFinished: Bool { FileManager.default.fileExists(atPath: result.path) }
  /// True if a run has finished here that ends with the validation split.
  public var isValidated: Bool { FileManager.default.fileExists(atPath: validation.path) }
  /// True if a run was started here.
  public var isBegun: Bool { FileManager.default.fileExists(atPath: configuration.path) }

  /// True if a checkpoint was written here, in a part of a search or in the training that comes first.
  var isStarted: Bool {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return entries.contains {
      $0 == checkpoint.lastPathComponent || $0 == base.url.lastPathComponent || $0.hasPrefix("budget")
    }
  }

  /// Checks that the folder holds no run; writes nothing.
  ///
  /// - Throws: `SettingError` if the folder already holds a run or cannot be one.
  package func requireVacant() throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue {
      throw SettingError("out", expected: "a folder", found: "the file \(url.shown)")
    }
    let files = [
      configuration, inputs, metrics, checkpoint, delta, predictions, timing, card, result, validation, budgets, split,
    ]
    for file in files where FileManager.default.fileExists(atPath: file.path) {
      throw SettingError("out", expected: "a folder without a run", found: "\(file.shown) of one that can be resumed")
    }
  }

  /// Makes the folder for a new run and writes its settings.
  ///
  /// - splitList: the split of every image, if it was drawn; inputs: the files that decide its numbers.
  /// - Throws: `SettingError` if it already holds a run or cannot be written.
  package func create(_ settings: RunConfiguration, splitList: [UInt8]? = nil) throws {
    try create(settings, splitList: splitList, inputs: nil)
  }

  func create(
    _ settings: RunConfiguration, splitList: [UInt8]?, inputs: RunInputs?, command: [String]? = nil
  ) throws {
    try requireVacant()
    try make()
    try write(settings)
    try complete(settings, splitList: splitList, inputs: inputs, command: command)
  }

  /// Writes what is missing besides the settings: a run may have been killed between its first files.
  func complete(
    _ settings: RunConfiguration, splitList: [UInt8]?, inputs: RunInputs?, command: [String]? = nil
  ) throws {
    func isMissing(_ file: URL) -> Bool { !FileManager.default.fileExists(atPath: file.path) }
    if isMissing(paths) { try writePaths(settings, command: command) }
    if let splitList, isMissing(split) { try AtomicFile.write(splitList, to: split) }
    if let inputs, isMissing(self.inputs) { try write(inputs) }
  }

  /// Makes the folder, unless it is there.
  ///
  /// - Throws: `SettingError` if it cannot be made.
  func make() throws {
    do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
      throw SettingError(
        "out", expected: "a folder that can be written", found: "\(url.path): \(error.localizedDescription)")
    }
  }

  /// Checks that images are divided as they were when the run began, those of the test split included.
  ///
  /// - Throws: `RunError` if they are not; `FileError` if the list of the run cannot be read.
  func checkSplit(of data: TrainingData) throws {
    guard let list = data.splitList, isBegun else { return }
    if !isStarted, !FileManager.default.fileExists(atPath: split.path) { return }
    guard try MappedFile.bytes(of: split, limit: max(1 << 28, list.count)) == list else {
      throw RunError("\(split.shown): expected the images of the run, found others (added, removed or changed since)")
    }
  }

  /// Writes the settings, replacing existing ones.
  func write(_ settings: RunConfiguration) throws {
    try AtomicFile.write(Array(try JSON.encoded(settings, isPretty: true)), to: configuration)
  }

  /// Removes what `create` made, if no checkpoint was written since, here or in a part of a search: a run that failed
  /// in its first epoch leaves nothing in the way of the next attempt.
  package func discardUnstarted() {
    guard !isStarted else { return }
    for file in [configuration, inputs, metrics, split, paths, earlierDelta] {
      try? FileManager.default.removeItem(at: file)
    }
    // The lock of whoever discards the run; then this fails, as it should, where the folder holds anything else.
    unlink(url.appendingPathComponent(FolderLock.fileName).path)
    rmdir(url.path)
  }

  /// The settings of the run in the folder.
  ///
  /// - Throws: `RunError` if there is none.
  public func settings() throws -> RunConfiguration {
    guard FileManager.default.fileExists(atPath: configuration.path) else {
      throw RunError("\(url.shown): expected the folder of a run, found no config.json")
    }
    let bytes = try MappedFile.bytes(of: configuration)
    let settings: RunConfiguration
    do { settings = try JSON.decoded(RunConfiguration.self, from: bytes) } catch {
      throw RunError("\(configuration.shown): expected the settings of a run, found other JSON (\(error))")
    }
    if let problem = settings.problem { throw RunError("\(configuration.shown): \(problem)") }
    return settings
  }

  /// Writes the result.
  package func writeResult(_ summary: RunResult) throws {
    try AtomicFile.write(Array(try JSON.encoded(summary, isPretty: true)) + [10], to: result)
  }
}

/// A run that cannot be started or continued.
public struct RunError: Error, CustomStringConvertible, Equatable {
  /// The message: expected and found.
  public let description: String

  /// An error with this text.
  package init(_ description: String) { self.description = description }
}
