import Formats
import Foundation
import Methods
import Models

/// A finished run on the test split of other data, with model, delta and prompts as the run had them.
struct TransferEvaluation {
  private let run: RunFolder
  private let settings: RunConfiguration
  let result: RunResult

  /// - Throws: `RunError` if the folder holds no finished run.
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
  }

  /// The result on the data of a folder, which is written unless it is there.
  ///
  /// - progress: is told of images evaluated, of how many.
  /// - Throws: what `frugal evaluate` throws; `RunError` for data without a test split, and where another folder of
  ///   this name was tested on; rethrows the errors of `progress`.
  func test(on data: String, progress: (_ done: Int, _ count: Int) throws -> Void) throws -> TransferTest {
    if let found = try run.transferTest(on: data, of: result) { return found }
    let path = try run.located(.model, settings)
    let words = ["--model=\(path)", "--delta=\(run.delta.path)", "--data=\(data)"]
    let arguments = try Arguments(words, options: EvaluateCommand.options)
    let folder = try arguments.imageFolder()
    guard folder.test.count > 0, !folder.isTestValidation else {
      throw RunError("\(FileName.shown(data)): expected test images, found none")
    }
    let tuned = try TunedModel(arguments, modelPath: path, folder: folder)
    var done = 0
    func evaluation(_ method: Method, of count: Int) throws -> Evaluation {
      let start = done
      let found = try Evaluation(
        method, values: [], on: folder.test, preprocessing: tuned.pretrained.preprocessing,
        skipsUnreadable: settings.skipsUnreadable, columns: tuned.columns, clock: RunClock()
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
    let found = TransferTest(
      data: data, classes: folder.classNames.count, after, zeroShot: before, of: result)
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
