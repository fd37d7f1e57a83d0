import Formats
import Foundation
import Tensor

/// A line of `metrics.jsonl`.
public struct EpochMetrics: Sendable, Codable, Equatable {
  /// The epoch, counted from 1.
  public var epoch: Int
  /// Steps taken since the start of the run.
  public var steps: Int
  /// The learning rate of each group of tensors.
  public var learningRates: [String: Double]
  /// The mean of each term of the loss over the steps of the epoch.
  public var terms: [String: Double]
  /// Training accuracy, in percent.
  public var accuracy: Double
  /// Accuracy on the validation split, in percent, if it is used.
  public var validationAccuracy: Double?
  /// Accuracy on the test split, in percent, if it selects the epoch.
  public var testAccuracy: Double?
  /// Shares in percent after the epoch, by name, such as the masked weights.
  public var shares: [String: Double]
  /// Wall-clock seconds of the epoch, or of the rest of it when the run was resumed.
  public var seconds: Double
  /// Training images per second.
  public var imagesPerSecond: Double
}

extension RunFolder {
  /// Adds a line to the metrics, after the first `lines` existing lines.
  package func writeMetrics(_ epoch: EpochMetrics, after lines: Int, flushing: Bool = true) throws {
    let old = String(decoding: (try? MappedFile.bytes(of: metrics, limit: 1 << 28)) ?? [], as: UTF8.self)
    var kept = old.split(separator: "\n").prefix(lines).map(String.init)
    kept.append(String(decoding: try JSON.encoded(epoch), as: UTF8.self))
    try AtomicFile.write(Array((kept.joined(separator: "\n") + "\n").utf8), to: metrics, flushing: flushing)
  }

  /// The metrics of all epochs so far; none if there is no such file.
  ///
  /// - Throws: `FileError` for a file that cannot be read, or a line that is something else.
  public func epochs() throws -> [EpochMetrics] {
    guard FileManager.default.fileExists(atPath: metrics.path) else { return [] }
    let lines: [EpochMetrics] = try JSON.lines(of: metrics, "the metrics of an epoch", upTo: JSON.largestMeasurement)
    // Counts are below what any number may be.
    let range = 0...(1 << 54)
    if let line = lines.firstIndex(where: { !range.contains($0.epoch) || !range.contains($0.steps) }) {
      throw FileError(
        file: "\(metrics.shown):\(line + 1)", expected: "an epoch and steps of 0 or more",
        found: "\(lines[line].epoch) and \(lines[line].steps)")
    }
    return lines
  }
}
