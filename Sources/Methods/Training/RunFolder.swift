import Foundation
import Tensor

/// The folder of a run: `config.json`, `metrics.jsonl`, `checkpoint.safetensors`, `delta.safetensors`, `result.json`; of
/// a search among budgets, `budgets.json` and the folders of its parts besides.
public struct RunFolder: Sendable {
  /// The folder.
  public let url: URL

  /// The folder at a place; nothing is read or written.
  public init(_ url: URL) { self.url = url }

  /// Every setting of the run.
  public var configuration: URL { url.appendingPathComponent("config.json") }
  /// A line an epoch.
  public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
  /// What is needed to go on.
  public var checkpoint: URL { url.appendingPathComponent("checkpoint.safetensors") }
  /// What was learned.
  public var delta: URL { url.appendingPathComponent("delta.safetensors") }
  /// What it is worth.
  public var result: URL { url.appendingPathComponent("result.json") }
  /// What each budget of a search is worth.
  public var budgets: URL { url.appendingPathComponent("budgets.json") }
  /// The run of one budget of a search.
  public func part(_ budget: Int) -> RunFolder { RunFolder(url.appendingPathComponent("budget-\(budget)")) }
  /// Whether a run was begun here.
  public var isBegun: Bool { FileManager.default.fileExists(atPath: configuration.path) }

  /// Checks that no run is in the way of a new one; writes nothing.
  ///
  /// - Throws: `RunError` if the folder already holds a run or cannot be one.
  public func requireVacant() throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue {
      throw RunError("--out: expected a folder, found the file \(url.shown)")
    }
    let files = [configuration, metrics, checkpoint, delta, result, budgets]
    for file in files where FileManager.default.fileExists(atPath: file.path) {
      throw RunError(
        "--out: expected a folder without a run, found \(file.shown) (use --resume \(url.shown) to go on with it)")
    }
  }

  /// Makes the folder for a new run and writes its settings.
  ///
  /// - Throws: `RunError` if it already holds a run or cannot be written.
  public func create(_ settings: RunConfiguration) throws {
    try requireVacant()
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw RunError("--out: expected a folder that can be written, found \(url.path): \(error.localizedDescription)")
    }
    try write(settings)
  }

  /// Writes the settings, in place of those that are there.
  func write(_ settings: RunConfiguration) throws {
    try AtomicFile.write(Array(try JSON.encoded(settings, isPretty: true)), to: configuration)
  }

  /// Takes away what `create` made, if no checkpoint was written since, here or in a part of a search: a run that failed
  /// in its first epoch leaves nothing in the way of the next attempt.
  public func discardUnstarted() {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    guard !entries.contains(where: { $0 == checkpoint.lastPathComponent || $0.hasPrefix("budget") }) else { return }
    for file in [configuration, metrics] { try? FileManager.default.removeItem(at: file) }
    // Fails, as it should, where the folder holds anything else.
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
    do { settings = try JSONDecoder().decode(RunConfiguration.self, from: Data(bytes)) } catch {
      throw RunError("\(configuration.shown): expected the settings of a run, found other JSON (\(error))")
    }
    if let problem = settings.problem { throw RunError("\(configuration.shown): \(problem)") }
    return settings
  }

  /// Adds a line to the metrics, after the first `lines` lines of what is there.
  public func writeMetrics(_ epoch: EpochMetrics, after lines: Int) throws {
    let old = (try? String(contentsOf: metrics, encoding: .utf8)) ?? ""
    var kept = old.split(separator: "\n").prefix(lines).map(String.init)
    kept.append(String(decoding: try JSON.encoded(epoch), as: UTF8.self))
    try AtomicFile.write(Array((kept.joined(separator: "\n") + "\n").utf8), to: metrics)
  }

  /// Writes the result.
  public func writeResult(_ summary: RunResult) throws {
    try AtomicFile.write(Array(try JSON.encoded(summary, isPretty: true)) + [10], to: result)
  }
}

/// A run that cannot be started or continued.
public struct RunError: Error, CustomStringConvertible, Equatable {
  /// What was expected and what was found.
  public let description: String

  /// An error with this text.
  public init(_ description: String) { self.description = description }
}

/// A line of `metrics.jsonl`.
public struct EpochMetrics: Sendable, Codable, Equatable {
  /// From 1.
  public var epoch: Int
  /// Steps taken since the start of the run.
  public var steps: Int
  /// The learning rate of each group of tensors.
  public var learningRates: [String: Double]
  /// The mean of each term of the loss over the steps of the epoch.
  public var terms: [String: Double]
  /// Right training answers, in percent.
  public var accuracy: Double
  /// Right answers on the validation split, in percent, where it takes part.
  public var validationAccuracy: Double?
  /// Right answers on the test split, in percent, where it chooses the epoch.
  public var testAccuracy: Double?
  /// Shares in percent after the epoch, by name, such as the masked weights.
  public var shares: [String: Double]
  /// Wall-clock seconds of the epoch, or of what was left of it when the run was resumed.
  public var seconds: Double
  /// Training pictures a second.
  public var imagesPerSecond: Double
}

/// `result.json`.
public struct RunResult: Sendable, Codable, Equatable {
  /// The tuned model on a split.
  public struct Score: Sendable, Codable, Equatable {
    /// 100 · correct / total
    public var accuracy: Double
    /// Right answers.
    public var correct: Int
    /// Answers.
    public var total: Int
    /// The SHA-256 of all logits, in the order of the split: equal digests are equal predictions.
    public var logitsSHA256: String
    /// Pictures left out because they cannot be read.
    public var unreadable: Int

    /// The score of an evaluation.
    public init(_ evaluation: Evaluation) {
      (accuracy, correct, total) = (evaluation.accuracy, evaluation.correct, evaluation.total)
      (logitsSHA256, unreadable) = (evaluation.logitsSHA256, evaluation.unreadable.count)
    }
  }

  /// The method's name.
  public var method: String
  /// Which model was taken: the number of its epoch, from 1.
  public var epoch: Int
  /// Why.
  public var reason: String
  /// How it was chosen: `test-max` means that the accuracy on the test split chose the model it is reported of.
  public var selection: RunConfiguration.Selection
  /// The tuned model on the test split, which was read once, for this, unless it chose the model.
  public var test: Score
  /// The pretrained model on the same split; `nil` for one that knows no classes by itself.
  public var zeroShot: Score?
  /// Its accuracy on the validation split, where that chose it.
  public var validationAccuracy: Double?
  /// Numbers that were trained.
  public var trainedParameters: Int
  /// The size of the delta file.
  public var deltaBytes: Int
  /// The budget of a method that has one.
  public var budget: Int?
  /// All budgets that it was chosen from, with their accuracies on the validation split.
  public var budgets: [BudgetSearch.Score]?
  /// Shares in percent, by name.
  public var shares: [String: Double]
}
