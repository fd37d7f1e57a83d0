import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal predict`: classes and probabilities for images.
enum PredictCommand: Command {
  static let name = "predict"
  static let summary = "classes and probabilities for images"
  static let operands = "PICTURE|FOLDER…"
  static let options =
    [
      modelOption,
      deltaOption,
      forceOption,
      Option("--classes", "A,B,…", "class names, if neither a delta nor the model has its own"),
      Option("--top", "N", "how many classes to show per image (default 5; all that are likely with --multi-label)"),
      Option("--threshold", "X", "leave out classes less likely than X; an image without others is none of them"),
      Option(
        "--multi-label",
        "a probability of its own for each class, a sigmoid of its logit, and a threshold of 0.5 unless given; for a "
          + "linear head"),
    ] + textOptions + hintOptions + imageOptions + [
      skipOption,
      Option("--json", "print the result as JSON"),
      Option("--csv", "print the result as CSV: picture, rank, class, probability"),
    ]

  static func run(_ arguments: Arguments) throws {
    guard !arguments.operands.isEmpty else { throw UsageError("expected at least one image, found none") }
    guard !arguments.has("--json") || !arguments.has("--csv") else {
      throw UsageError("--csv", expected: "no --json with it", found: "both")
    }
    let named = arguments.string("--classes")?.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    if let named, named.isEmpty || named.contains("") {
      throw UsageError("--classes", expected: "names separated by commas", found: "an empty one")
    }
    var choice = ClassChoice(
      top: try arguments.integer("--top", in: 1...1_000_000), threshold: try arguments.number("--threshold", in: 0...1),
      isMultiLabel: arguments.has("--multi-label"))
    let paths = try ImagePaths(arguments.operands)
    let tuned = try TunedModel(
      arguments, modelPath: try arguments.required("--model"), folder: nil, classes: named)
    guard tuned.hasLinearHead || !choice.isMultiLabel else {
      throw UsageError("--multi-label", expected: "a linear head, trained or of the model", found: "texts to compare")
    }
    if tuned.isMultiLabel, !choice.isMultiLabel {
      note("note: config.json: problem_type is multi_label_classification: each class has a probability of its own")
      choice.isMultiLabel = true
    }
    paths.reportSkipped()
    let (answers, unreadable) = try answers(paths.files, tuned, choice, skips: arguments.has("--skip-unreadable"))
    report(unreadable: unreadable)
    if arguments.has("--json") { return try printJSON(answers) }
    if arguments.has("--csv") {
      print(PictureAnswer.heading)
      for answer in answers { for row in answer.rows { print(row) } }
      return
    }
    for answer in answers { print(answer.line) }
  }

  private static func answers(
    _ paths: [String], _ tuned: TunedModel, _ choice: ClassChoice, skips: Bool
  ) throws -> ([PictureAnswer], [ImageError]) {
    let loader = ImageLoader(preprocessing: tuned.pretrained.preprocessing)
    let logits = tuned.method.logits(values: [])
    var answers: [PictureAnswer] = []
    var unreadable: [ImageError] = []
    for start in stride(from: 0, to: paths.count, by: 32) {
      let group = paths[start..<min(start + 32, paths.count)]
      let batch = loader.load(group.map { (URL(fileURLWithPath: $0), 0) })
      if let error = batch.unreadable.first, !skips { throw error }
      unreadable += batch.unreadable
      guard !batch.kept.isEmpty else { continue }
      let found = logits(.images(batch.images))
      try found.requireFinite { paths[start + batch.kept[$0]] }
      let probabilities = choice.probabilities(found)
      for (row, position) in batch.kept.enumerated() {
        answers.append(choice.prediction(FileName.text(paths[start + position]), probabilities[row], tuned.classes))
      }
    }
    return (answers, unreadable)
  }
}
