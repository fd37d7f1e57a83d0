import Formats
import Foundation

/// A finished run on the test split of other data than it was trained on, as in domain generalisation:
/// `transfer/NAME.json` of its folder, where the name is that of the data's folder.
public struct TransferTest: Sendable, Codable, Equatable {
  /// The folder of the other data, as typed.
  public var data: String
  /// The classes of that data, among which predictions are made.
  public var classes: Int
  /// The tuned model.
  public var test: RunResult.Score
  /// The pretrained model; `nil` for one without zero-shot classes.
  public var zeroShot: RunResult.Score?
  /// The digest of the run's own logits, which says that the result is of this run and not of an earlier one.
  public var run: String

  /// The scores of two models on the test split of other data.
  package init(data: String, classes: Int, _ tuned: Evaluation, zeroShot: Evaluation?, of result: RunResult) {
    (self.data, self.classes, test) = (data, classes, .init(tuned))
    self.zeroShot = zeroShot.map { .init($0) }
    run = result.test.logitsSHA256
  }

  /// True if its values can be those of an evaluation.
  private var isPlausible: Bool {
    classes > 0
      && [test, zeroShot].compactMap(\.self).allSatisfy {
        (0...100).contains($0.accuracy) && $0.correct >= 0 && $0.total >= $0.correct && $0.total > 0
      }
  }

  /// The name of the result of a folder.
  package static func name(of data: String) -> String {
    URL(fileURLWithPath: data).standardizedFileURL.lastPathComponent
  }

  /// The result in a file.
  ///
  /// - Throws: `RunError` for something else, `FileError` for a file that cannot be read.
  init(contentsOf url: URL) throws {
    let bytes = try MappedFile.bytes(of: url, limit: 1 << 20)
    guard let found = try? JSON.decoded(Self.self, from: bytes), found.isPlausible else {
      throw RunError("\(url.shown): expected an accuracy on other data, found other contents")
    }
    self = found
  }
}

extension RunFolder {
  /// The results on other data.
  private var transfers: URL { url.appendingPathComponent("transfer") }

  private func transfer(_ data: String) -> URL {
    transfers.appendingPathComponent("\(TransferTest.name(of: data)).json")
  }

  /// The result of a run on other data; `nil` if there is none of this run.
  ///
  /// - Throws: `RunError` for a result of other data in a folder of the same name, and for a file that is something
  ///   else; `FileError` for a file that cannot be read.
  package func transferTest(on data: String, of result: RunResult) throws -> TransferTest? {
    let file = transfer(data)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    let found = try TransferTest(contentsOf: file)
    guard found.run == result.test.logitsSHA256 else { return nil }
    guard found.data == data else {
      throw RunError(
        "\(file.shown): expected the result of \(FileName.shown(data)), found that of \(FileName.shown(found.data)) "
          + "(without the file it is tested again)")
    }
    return found
  }

  /// All results of a run on other data, with the names of its folders, by name.
  ///
  /// - Throws: as `transferTest`.
  public func transferTests(of result: RunResult) throws -> [(name: String, test: TransferTest)] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: transfers.path)) ?? []
    return try files.filter { $0.hasSuffix(".json") }.sorted().compactMap { file in
      let test = try TransferTest(contentsOf: transfers.appendingPathComponent(file))
      return test.run == result.test.logitsSHA256 ? (String(file.dropLast(5)), test) : nil
    }
  }

  /// Writes a result.
  package func write(_ test: TransferTest) throws {
    try FileManager.default.createDirectory(at: transfers, withIntermediateDirectories: true)
    try AtomicFile.write(Array(try JSON.encoded(test, isPretty: true)) + [10], to: transfer(test.data))
  }
}
