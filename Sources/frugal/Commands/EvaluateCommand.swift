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
      dataOption,
      dataListOption,
      deltaOption,
      Option(
        "--run", "RUN",
        "a finished run, in place of --model and --delta; its result on the test images of DIR is kept in its folder"),
      forceOption,
      Option(
        "--split", "test|val|train|A,B,C", isRepeatable: true,
        "which images (default test); shares of train, val and test for data without splits, such as 0.6,0.2,0.2"),
      Option("--seed", "N", "seed of a split by shares: that of the run (default 1)"),
      Option(
        "--classes", "all|base|new",
        "which classes (default all); base is the first half in the order of labels, new the other"),
      datasetOption,
    ] + textOptions + hintOptions + imageOptions + [
      skipOption,
      jsonOption,
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
    /// The number of images that were skipped, and their messages.
    let unreadable: Int
    let unreadableImages: [String]
  }

  /// The split that `--split` names; shares are another value of the same flag.
  private static func split(_ arguments: Arguments) throws(UsageError) -> Split {
    let named = arguments.strings("--split").filter { !$0.contains(",") }
    guard let text = named.first else { return .test }
    let known = Split.allCases.map(\.rawValue)
    guard named.count == 1, let split = Split(rawValue: text) else {
      throw UsageError(
        "--split: expected \(known.joined(separator: ", ")), or shares such as 0.6,0.2,0.2, found "
          + "\"\(named.joined(separator: "\", \""))\"\(suggestion(for: text, among: known))")
    }
    return split
  }

  static func required(_ arguments: Arguments) -> [[String]] {
    [["--model", "--run"], ["--data", "--data-list"]]
  }
  static let examples = [
    Example("frugal evaluate --model clip --data photos", "zero-shot accuracy on the test images"),
    Example(
      "frugal evaluate --model clip --data photos --delta runs/a/delta.safetensors --split val",
      "accuracy of a tuned model on the validation images"),
    Example("frugal evaluate --run runs/a --data sketches", "accuracy of a run on other pictures of its classes"),
  ]

  static func run(_ arguments: Arguments) throws {
    if let path = arguments.string("--run") { return try test(RunFolder(at: path), arguments) }
    let split = try split(arguments)
    try arguments.checkModelFlags()
    let modelPath = try arguments.required("--model")
    let classes = try arguments.choice("--classes", of: ClassPart.self) ?? .all
    let folder = try arguments.imageFolder(namesParts: true).keeping(classes)
    guard !folder.classNames.isEmpty else {
      throw UsageError("--classes", expected: "all or base, as the data has one class only", found: "\"new\"")
    }
    let tuned = try TunedModel(arguments, modelPath: modelPath, folder: folder)
    let set =
      switch split {
      case .test: folder.test
      case .train: folder.train
      // Without a test split, val is in its place.
      case .val: folder.validation ?? (folder.isTestValidation ? folder.test : nil)
      }
    let splitName = split == .test && folder.isTestValidation ? Split.val : split
    guard let set else { throw UsageError("--split", expected: "a split of the data", found: "val, which is missing") }
    let line = ProgressLine()
    let result = try Evaluation(
      tuned.method, values: [], on: set, preprocessing: tuned.pretrained.preprocessing,
      skipsUnreadable: arguments.has("--skip-unreadable"), columns: tuned.columns, clock: RunClock()
    ) { done in line.show("images evaluated", done, of: set.count) }
    line.finish()
    report(unreadable: result.unreadable)
    guard result.total > 0 else {
      throw RunError(
        "\(try arguments.dataPath()): expected images of \(splitName.rawValue) that can be read, found none")
    }
    let byClass = zip(result.correctByClass, result.totalByClass).filter { $1 > 0 }.map { Double($0) / Double($1) }
    let meanClassAccuracy = byClass.isEmpty ? 0 : 100 * byClass.reduce(0, +) / Double(byClass.count)
    if arguments.has("--json") {
      return try printJSON(
        Report(
          model: modelPath, delta: arguments.string("--delta"), split: splitName.rawValue, accuracy: result.accuracy,
          correct: result.correct, total: result.total, meanClassAccuracy: meanClassAccuracy,
          logitsSHA256: result.logitsSHA256, unreadable: result.unreadable.count,
          unreadableImages: result.unreadable.map(\.description)))
    }
    print(
      "\(tuned.title) on \(splitName.rawValue): accuracy \(percent(result.accuracy)) % (\(result.correct) "
        + "of \(result.total)), "
        + "mean over classes \(percent(meanClassAccuracy)) %")
  }

  /// Tests a finished run on other data.
  private static func test(_ run: RunFolder, _ arguments: Arguments) throws {
    let allowed = ["--run", "--data", skipOption.flag, jsonOption.flag] + commonOptions.map(\.flag)
    if let flag = arguments.flags.subtracting(allowed).min() {
      throw UsageError(flag, expected: "no --run with it, whose settings are those of the run", found: "both")
    }
    let (line, evaluation) = (ProgressLine(), try TransferEvaluation(run))
    let found = try evaluation.test(
      on: try arguments.required("--data"), skipsUnreadable: arguments.has(skipOption.flag)
    ) { line.show("images evaluated", $0, of: $1) }
    line.finish()
    if arguments.has("--json") { return try printJSON(found) }
    func text(_ name: String, _ score: RunResult.Score) -> String {
      "\(name) on test: accuracy \(percent(score.accuracy)) % (\(score.correct) of \(score.total))"
    }
    if let frozen = found.zeroShot { print(text("zero-shot", frozen)) }
    print(text(evaluation.result.method, found.test))
  }
}
