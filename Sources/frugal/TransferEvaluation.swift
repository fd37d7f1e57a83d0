import Datasets
import Formats
import Foundation
import Methods
import Models
import Synchronization

/// A finished run on the test split of other data, with model, delta and prompts as the run had them.
struct TransferEvaluation {
  private let run: RunFolder
  private let settings: RunConfiguration
  let result: RunResult

  /// - Throws: `RunError` if the folder holds no finished run, and for one on a part of its classes.
  init(_ run: RunFolder) throws {
    self.run = run
    settings = try run.settings()
    guard run.isFinished else {
      throw RunError("\(run.url.shown): expected a finished run, found no result.json (frugal tune --resume goes on)")
    }
    guard let found = try? JSON.decoded(RunResult.self, from: MappedFile.bytes(of: run.result)) else {
      throw RunError("\(run.result.shown): expected the result of a run, found other contents")
    }
    result = found
    guard settings.classes != .base else {
      throw RunError("\(run.url.shown): expected a run on all classes, found one on base classes")
    }
  }

  /// The images of folders that were looked at, once in a process.
  private static let known = Mutex<[String: TransferImages]>([:])

  /// The test images of a folder.
  private static func images(_ folder: ImageFolder, at data: String) -> TransferImages {
    known.withLock { $0[data] }
      ?? {
        let images = TransferImages(folder.test)
        known.withLock { $0[data] = images }
        return images
      }()
  }

  /// Whether the run was tested on the data of a folder as it is now, or as it was where it is gone.
  func isTested(on data: String) -> Bool {
    let isThere = FileManager.default.fileExists(atPath: data)
    var images = Self.known.withLock { $0[data] }
    if isThere, images == nil {
      guard let folder = try? ImageFolder(contentsOf: URL(fileURLWithPath: data)) else { return false }
      images = Self.images(folder, at: data)
    }
    return (try? run.transferTest(on: data, images, of: result)) != nil
  }

  /// The result on the data of a folder, which is written unless it is there.
  ///
  /// - skipsUnreadable: whether images that cannot be read are left out, if the run does not say so.
  /// - progress: is told of images evaluated, of how many.
  /// - Throws: what `frugal evaluate` throws; `RunError` for data without a test split; rethrows the errors of
  ///   `progress`.
  func test(
    on data: String, skipsUnreadable: Bool = false, progress: (_ done: Int, _ count: Int) throws -> Void
  ) throws -> TransferTest {
    let path = try run.located(.model, settings)
    let words = ["--model=\(path)", "--delta=\(run.delta.path)", "--data=\(data)"]
    let arguments = try Arguments(words, options: EvaluateCommand.options)
    let folder = try arguments.imageFolder()
    guard folder.test.count > 0, !folder.isTestValidation else {
      throw RunError("\(FileName.shown(data)): expected test images, found none")
    }
    let images = Self.images(folder, at: data)
    if let found = try run.transferTest(on: data, images, of: result) {
      note("note: the result is that of an earlier evaluation: run and images are the same")
      return found
    }
    let tuned = try TunedModel(arguments, modelPath: path, folder: folder)
    var done = 0
    func evaluation(_ method: Method, of count: Int) throws -> Evaluation {
      let start = done
      let found = try Evaluation(
        method, values: [], on: folder.test, preprocessing: tuned.pretrained.preprocessing,
        skipsUnreadable: skipsUnreadable || settings.skipsUnreadable, columns: tuned.columns, clock: RunClock()
      ) {
        done = start + $0
        try progress(done, count * folder.test.count)
      }
      done = start + folder.test.count
      return found
    }
    let frozen = try result.zeroShot == nil ? nil : zeroShot(tuned)
    let before = try frozen.map { try evaluation($0, of: 2) }
    let after = try evaluation(tuned.method, of: frozen == nil ? 1 : 2)
    let found = TransferTest(data: data, images, after, zeroShot: before, of: result)
    try run.write(found)
    return found
  }

  /// The pretrained model with the prompts of the run.
  private func zeroShot(_ tuned: TunedModel) throws -> Method? {
    try tuned.pretrained.clip.map { clip in
      let prompts = try Prompts(classes: tuned.classes, templates: settings.templates)
      let head = try ZeroShot(clip, prompts, ensembling: settings.ensembling, truncate: settings.truncates)
      return Method(encoder: FrozenEncoder(), head: head, tower: clip.tower)
    }
  }
}
