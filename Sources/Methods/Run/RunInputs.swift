import Datasets
import Formats
import Foundation
import Models
import Synchronization
import Tensor

/// The files besides weights that decide the numbers of a run: those of its model, and its images.
///
/// `inputs.jsonl` holds their digests as they were when the run began, and a run that is resumed compares them. A file
/// whose size and time of change are still the recorded ones is not read again. Weights have a digest of their own.
struct RunInputs: Sendable {
  /// A line of `inputs.jsonl`.
  struct Line: Sendable, Codable, Equatable {
    /// The part of the run that reads the file.
    var use: Use
    /// The name: of a file of the model without its folder, of an image with its path in the data.
    var file: String
    /// The size.
    var bytes: Int
    /// The time of the last change of the file or its name, in seconds since 1970.
    var changed: String
    /// The digest of the contents; `nil` for a file that could not be read.
    var sha256: String?
  }

  /// A part of a run that reads files.
  enum Use: String, Sendable, Codable {
    case model, train
    case validation = "val"
    case test
    /// The test images of new classes.
    case new
  }

  private struct Key: Hashable {
    let use: Use
    let file: String
  }

  private let files: [(key: Key, url: URL)]
  private let root: URL

  /// - model: all files that were opened to read the model.
  /// - readsTest: false for a run that reads no test image, but the whole validation split.
  init(model: [URL], _ data: TrainingData, readsTest: Bool = true) {
    root = data.folder.root
    let settings = model.filter { !WeightFiles.extensions.contains($0.pathExtension.lowercased()) }
    var files = settings.map { (key: Key(use: .model, file: $0.lastPathComponent), url: $0) }
    let sets: [(use: Use, set: ImageSet?)] = [
      (.train, data.train), (.validation, readsTest ? data.validation : data.folder.validation),
      (.test, readsTest ? data.folder.test : nil), (.new, readsTest ? data.unseen?.test : nil),
    ]
    for (use, set) in sets { files += (set?.items ?? []).map { (Key(use: use, file: $0.name), $0.url) } }
    self.files = files
  }

  /// The lines of all files, in order.
  ///
  /// - known: lines whose digests hold where size and time of change are the same.
  func lines(known: [Line] = []) -> [Line] {
    let known = Dictionary(known.map { (Key(use: $0.use, file: $0.file), $0) }) { $1 }
    let lines = Mutex([Line?](repeating: nil, count: files.count))
    Parallel.forEach(files.count) { index in
      let (key, url) = files[index]
      let line = Self.line(key, url, known[key])
      lines.withLock { $0[index] = line }
    }
    return lines.withLock { $0.compactMap(\.self) }
  }

  private static func line(_ key: Key, _ url: URL, _ known: Line?) -> Line {
    var status = stat()
    let exists = FileName.withPath(url.path) { stat($0, &status) } == 0
    let nanoseconds = "\(status.st_ctim.tv_nsec)"
    let time = "\(status.st_ctim.tv_sec)." + String(repeating: "0", count: 9 - nanoseconds.count) + nanoseconds
    var line = Line(
      use: key.use, file: key.file, bytes: exists ? Int(status.st_size) : 0, changed: exists ? time : "", sha256: nil)
    if let known, known.bytes == line.bytes, known.changed == line.changed, known.sha256 != nil { return known }
    line.sha256 = try? SHA256.digest(of: url).description
    return line
  }

  /// A file that is not as it was when the run began.
  struct Difference {
    let text: String
    /// True for a test image with other contents, such as one that was repaired: training never saw it.
    var isTestContents = false
  }

  /// What is different from the files of the run when it began, in the order of the run.
  func differences(from begun: [Line]) -> [Difference] {
    let found = Dictionary(lines(known: begun).map { (Key(use: $0.use, file: $0.file), $0) }) { $1 }
    var differences = begun.compactMap { line -> Difference? in
      let name = "\(line.use.rawValue) \(FileName.shown(line.file))"
      guard let now = found[Key(use: line.use, file: line.file)] else {
        let path = root.appendingPathComponent(line.file).path
        let isThere = line.use != .model && FileName.withPath(path) { access($0, F_OK) } == 0
        return Difference(
          text: "\(name) (\(isThere ? "no longer used, as others were added or removed" : "missing"))")
      }
      guard now.sha256 != line.sha256 else { return nil }
      guard now.sha256 != nil else { return Difference(text: "\(name) (cannot be read)") }
      return Difference(
        text: "\(name) (\(now.bytes == line.bytes ? "contents" : "\(line.bytes) → \(now.bytes) bytes"))",
        isTestContents: line.use == .test || line.use == .new)
    }
    let old = Set(begun.map { Key(use: $0.use, file: $0.file) })
    differences += files.filter { !old.contains($0.key) }.map {
      Difference(text: "\($0.key.use.rawValue) \(FileName.shown($0.key.file)) (new)")
    }
    return differences
  }
}

extension RunFolder {
  /// The digests of the files besides weights that decide the numbers of the run.
  package var inputs: URL { url.appendingPathComponent("inputs.jsonl") }

  func write(_ inputs: RunInputs) throws {
    var bytes: [UInt8] = []
    for line in inputs.lines() { bytes += try JSON.encoded(line) + [10] }
    try AtomicFile.write(bytes, to: self.inputs)
  }

  /// Checks that model and images are those with which the run began.
  ///
  /// - Returns: a warning where that cannot be told, or where test images changed before the run was evaluated: one
  ///   that could not be read can be repaired.
  /// - Throws: `RunError` that names the files that are not; `FileError` for a list that cannot be read.
  func check(_ inputs: RunInputs) throws -> [String] {
    guard FileManager.default.fileExists(atPath: self.inputs.path) else {
      return !isStarted
        ? []
        : [
          "warning: \(self.inputs.shown): missing, as in runs of older versions: whether images or files of the model "
            + "have changed since the run began is not known"
        ]
    }
    let begun: [RunInputs.Line] = try JSON.lines(of: self.inputs, "the digest of a file")
    let found = inputs.differences(from: begun)
    guard !found.isEmpty else { return [] }
    let more = found.count > 5 ? " and \(found.count - 5) more" : ""
    let list = found.prefix(5).map(\.text).joined(separator: ", ") + more
    if !isFinished, found.allSatisfy(\.isTestContents) {
      return ["warning: \(self.inputs.shown): changed since the run began, and evaluated as they are now: \(list)"]
    }
    throw RunError(
      "\(self.inputs.shown): expected the files with which the run began, found others: \(list); restore them, or "
        + "begin a new run")
  }
}
