import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal evaluate`: the accuracy of a model, tuned or not, on a split.
enum EvaluateCommand: Command {
  static let name = "evaluate"
  static let summary = "accuracy of a model, with or without a delta, on a split of a dataset"
  static let operands = ""
  static let options =
    [
      modelOption,
      Option("--data", "DIR", "image folder with train/CLASS/* and test/CLASS/*"),
      deltaOption,
      forceOption,
      Option("--split", "test|val|train", "which images (default test)"),
      Option(
        "--classes", "all|base|new",
        "which classes (default all); base is the first half in the order of labels, new the other"),
      datasetOption,
    ] + textOptions + hintOptions + [
      normalizeOption,
      skipOption,
      Option("--json", "print the result as JSON"),
    ]

  enum Split: String, CaseIterable { case test, val, train }

  /// The output of `--json`.
  struct Report: Encodable {
    let model: String
    let delta: String?
    let split: String
    let accuracy: Double
    let correct: Int
    let total: Int
    let meanClassAccuracy: Double
    let logitsSHA256: String
    let unreadable: [String]
  }

  static func run(_ arguments: Arguments) throws {
    try arguments.requireNoOperands()
    let split = try arguments.choice("--split", of: Split.self) ?? .test
    let (modelPath, dataPath) = (try arguments.required("--model"), try arguments.required("--data"))
    let classes = try arguments.choice("--classes", of: ClassPart.self) ?? .all
    let folder = try load(data: dataPath).keeping(classes)
    guard !folder.classNames.isEmpty else {
      throw UsageError("--classes", expected: "all or base, as the data has one class only", found: "\"new\"")
    }
    let tuned = try TunedModel(arguments, modelPath: modelPath, folder: folder)
    let set =
      switch split {
      case .test: folder.test
      case .train: folder.train
      case .val: folder.validation
      }
    guard let set else { throw UsageError("--split", expected: "a split of the data", found: "val, which is missing") }
    let line = ProgressLine()
    let result = try Evaluation(
      tuned.method, values: [], on: set, preprocessing: tuned.pretrained.preprocessing,
      skipsUnreadable: arguments.has("--skip-unreadable")
    ) { done in line.show("images evaluated", done, of: set.count) }
    line.finish()
    report(unreadable: result.unreadable)
    let byClass = zip(result.correctByClass, result.totalByClass).filter { $1 > 0 }.map { Double($0) / Double($1) }
    let meanClassAccuracy = byClass.isEmpty ? 0 : 100 * byClass.reduce(0, +) / Double(byClass.count)
    if arguments.has("--json") {
      return try printJSON(
        Report(
          model: modelPath, delta: arguments.string("--delta"), split: split.rawValue, accuracy: result.accuracy,
          correct: result.correct, total: result.total, meanClassAccuracy: meanClassAccuracy,
          logitsSHA256: result.logitsSHA256, unreadable: result.unreadable.map(\.description)))
    }
    print(
      "\(tuned.title) on \(split.rawValue): accuracy \(percent(result.accuracy)) % (\(result.correct) "
        + "of \(result.total)), "
        + "mean over classes \(percent(meanClassAccuracy)) %")
  }
}
