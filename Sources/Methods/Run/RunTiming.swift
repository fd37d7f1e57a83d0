import Dispatch
import Formats
import Foundation

/// `timing.json`: the seconds that a user waits for a run, by part, separate from `result.json`, whose bytes are
/// reproducible.
package struct RunTiming: Sendable, Codable, Equatable {
  /// A part of a run; no second belongs to two.
  package enum Part: String, Sendable, CaseIterable {
    /// Reading the model and the list of images, encoding the texts, writing files.
    case setup
    /// Looking at images to choose what to tune, including reading them.
    case survey
    /// Computing features of a frozen encoder once.
    case features
    /// Waiting for images to be read, while training or evaluating.
    case reading
    /// Steps of training.
    case training
    /// Evaluation on the split that selects an epoch or a budget.
    case validation
    /// Evaluation on the test split at the end, before and after tuning.
    case test
  }

  /// Seconds by part; none for a part that the run does not have.
  package var parts: [Part: Double] = [:]
  /// The machine of the last start; `nil` in older files.
  package var machine: RunMachine?
  /// How many times the features of an image came from a cache, which takes no time here; `nil` for never.
  package var reusedFeatures: Int?

  /// The seconds of a run.
  package init(_ parts: [Part: Double] = [:]) { self.parts = parts }

  /// All parts together.
  package var seconds: Double { Part.allCases.reduce(0) { $0 + (parts[$1] ?? 0) } }

  private enum Key: String, CodingKey {
    case seconds, parts, machine, reusedFeatures
    // Of the first versions, which measured no other part.
    case trainingSeconds, evaluationSeconds
  }

  /// Decodes the parts; those of the first versions are training and test.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    if let found = try values.decodeIfPresent([String: Double].self, forKey: .parts) {
      for (name, seconds) in found { if let part = Part(rawValue: name) { parts[part] = seconds } }
    } else {
      parts[.training] = try values.decode(Double.self, forKey: .trainingSeconds)
      parts[.test] = try values.decode(Double.self, forKey: .evaluationSeconds)
    }
    machine = try values.decodeIfPresent(RunMachine.self, forKey: .machine)
    reusedFeatures = try values.decodeIfPresent(Int.self, forKey: .reusedFeatures)
    guard parts.values.allSatisfy({ $0 >= 0 && $0.isFinite }), machine?.isPlausible ?? true, reusedFeatures ?? 1 > 0
    else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [Key.parts], debugDescription: "expected seconds and a machine"))
    }
  }

  /// Encodes the parts, their sum and the machine.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(seconds, forKey: .seconds)
    try values.encode(Dictionary(uniqueKeysWithValues: parts.map { ($0.rawValue, $1) }), forKey: .parts)
    try values.encodeIfPresent(machine, forKey: .machine)
    try values.encodeIfPresent(reusedFeatures, forKey: .reusedFeatures)
  }
}

/// Measures the parts of a run. Time belongs to the innermost part that is measured; a run that is resumed goes on from
/// what its folder says.
package final class RunClock {
  private(set) var timing: RunTiming
  /// Where the times are written; `nil` for nowhere.
  private let file: URL?
  private var open: [RunTiming.Part] = []
  private var mark = DispatchTime.now().uptimeNanoseconds

  /// A clock at zero that writes nothing.
  package init() { (timing, file) = (RunTiming(), nil) }

  /// The clock of the run in a folder.
  init(of folder: RunFolder) {
    file = folder.timing
    let bytes = folder.isBegun ? try? MappedFile.bytes(of: folder.timing) : nil
    timing = bytes.flatMap { try? JSON.decoded(RunTiming.self, from: $0) } ?? RunTiming()
  }

  /// Adds the time of `body`, less that of parts measured inside of it.
  func measure<Result>(_ part: RunTiming.Part, _ body: () throws -> Result) rethrows -> Result {
    settle()
    open.append(part)
    defer {
      settle()
      open.removeLast()
    }
    return try body()
  }

  /// Adds seconds that were measured elsewhere.
  func add(_ seconds: Double, to part: RunTiming.Part) { timing.parts[part, default: 0] += seconds }

  /// Counts the time of one part to another.
  func move(_ part: RunTiming.Part, to other: RunTiming.Part) {
    settle()
    if let seconds = timing.parts.removeValue(forKey: part) { add(seconds, to: other) }
  }

  /// Counts features that came from a cache.
  func count(reused: Int) { if reused > 0 { timing.reusedFeatures = (timing.reusedFeatures ?? 0) + reused } }

  /// Writes the times so far.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  func write() throws {
    settle()
    guard let file else { return }
    timing.machine = .current
    try AtomicFile.write(Array(try JSON.encoded(timing, isPretty: true)) + [10], to: file)
  }

  private func settle() {
    let now = DispatchTime.now().uptimeNanoseconds
    if let part = open.last { add(Double(now - mark) / 1e9, to: part) }
    mark = now
  }
}
