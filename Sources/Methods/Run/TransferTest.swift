import Datasets
import Formats
import Foundation
import Synchronization
import Tensor

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
  /// The digest of the images: their names, labels and contents.
  public var images: String
  /// The digest of their names, sizes and times of change: where it is the same, contents are not read again.
  public var stamp: String

  /// The scores of two models on the test split of other data.
  package init(
    data: String, _ images: TransferImages, _ tuned: Evaluation, zeroShot: Evaluation?, of result: RunResult
  ) {
    (self.data, classes, test) = (data, images.set.classes.count, .init(tuned))
    self.zeroShot = zeroShot.map { .init($0) }
    (run, self.images, stamp) = (result.test.logitsSHA256, images.digest, images.stamp)
  }

  /// True if its values can be those of an evaluation.
  private var isPlausible: Bool {
    classes > 0
      && [test, zeroShot].compactMap(\.self).allSatisfy {
        $0.correct >= 0 && $0.total >= $0.correct && $0.total > 0 && $0.unreadable >= 0
          && abs($0.accuracy - 100 * Double($0.correct) / Double($0.total)) < 1e-6
      }
  }

  /// The name of the result of a folder.
  package static func name(of data: String) -> String {
    URL(fileURLWithPath: data).standardizedFileURL.lastPathComponent
  }

  /// The result in a file.
  ///
  /// - Throws: `RunError` for something else, and for the result of a folder of another name; `FileError` for a file
  ///   that cannot be read.
  init(contentsOf url: URL) throws {
    let bytes = try MappedFile.bytes(of: url, limit: 1 << 20)
    let found = try? JSON.decoded(Self.self, from: bytes)
    guard let found, found.isPlausible, "\(Self.name(of: found.data)).json" == url.lastPathComponent else {
      throw RunError(
        "\(url.shown): expected an accuracy on other data, found other contents (without the file it is tested again)")
    }
    self = found
  }
}

/// The test images of other data.
package struct TransferImages: Sendable {
  /// The images.
  package let set: ImageSet
  /// The digest of names, sizes and times of change.
  package let stamp: String

  /// The test images of a folder; their contents are not read.
  package init(_ set: ImageSet) {
    self.set = set
    stamp = Self.digest(set) { url in
      var status = stat()
      guard FileName.withPath(url.path, { stat($0, &status) }) == 0 else { return "missing" }
      return "\(status.st_size) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
    }
  }

  /// The digest of names, labels and contents.
  package var digest: String {
    Self.digest(set) { (try? SHA256.digest(of: $0).description) ?? "unreadable" }
  }

  private static func digest(_ set: ImageSet, _ what: @escaping @Sendable (URL) -> String) -> String {
    let lines = Mutex([String](repeating: "", count: set.count))
    Parallel.forEach(set.count) { index in
      let item = set.items[index]
      let line = "\(item.label) \(item.name) \(what(item.url))"
      lines.withLock { $0[index] = line }
    }
    return SHA256.digest(of: Array(lines.withLock { $0.joined(separator: "\n") }.utf8)).description
  }
}

extension RunFolder {
  /// The results on other data.
  private var transfers: URL { url.appendingPathComponent("transfer") }

  private func transfer(_ data: String) -> URL {
    transfers.appendingPathComponent("\(TransferTest.name(of: data)).json")
  }

  /// The result of a run on other data; `nil` if there is none of this run and these images.
  ///
  /// - images: those that the folder has; `nil` where it is gone.
  /// - Throws: `RunError` for a file that is something else; `FileError` for a file that cannot be read.
  package func transferTest(on data: String, _ images: TransferImages?, of result: RunResult) throws -> TransferTest? {
    let file = transfer(data)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    let found = try TransferTest(contentsOf: file)
    guard found.run == result.test.logitsSHA256 else { return nil }
    guard let images, images.stamp != found.stamp else { return found }
    return images.digest == found.images ? found : nil
  }

  /// All results of a run on other data, with the names of its folders, by name.
  ///
  /// - Throws: as `transferTest`.
  public func transferTests(of result: RunResult) throws -> [(name: String, test: TransferTest)] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: transfers.path)) ?? []
    return try files.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.sorted().compactMap { file in
      let test = try TransferTest(contentsOf: transfers.appendingPathComponent(file))
      return test.run == result.test.logitsSHA256 ? (String(file.dropLast(5)), test) : nil
    }
  }

  /// Writes a result.
  package func write(_ test: TransferTest) throws {
    do { try FileManager.default.createDirectory(at: transfers, withIntermediateDirectories: true) } catch {
      throw FileError(
        file: transfers.shown, expected: "a folder that can be written", found: error.localizedDescription)
    }
    try AtomicFile.write(Array(try JSON.encoded(test, isPretty: true)) + [10], to: transfer(test.data))
  }
}
