import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal predict`: classes and probabilities for images.
enum PredictCommand: Command {
  static let name = "predict"
  static let summary = "classes and probabilities for images (-: paths from standard input)"
  static let operands = "[RUN] PICTURE|FOLDER|-…"
  static let options =
    [
      modelOption,
      deltaOption,
      forceOption,
      Option(
        "--classes", "A,B,…|FILE",
        "class names, or a text file with one per line, if neither a delta nor the model has its own"),
      Option("--top", "N", "how many classes to show per image (default 5; all that are likely with --multi-label)"),
      Option("--threshold", "X", "leave out classes less likely than X; an image without others is none of them"),
      Option(
        "--multi-label",
        "a probability of its own for each class, a sigmoid of its logit, and a threshold of 0.5 unless given; for a "
          + "linear head"),
    ] + textOptions + hintOptions + imageOptions + [
      Option("--skip-unreadable", "images that cannot be read are no failure: listed at the end, exit code 0"),
      jsonOption,
      Option("--csv", "print the result as CSV: picture, rank, class, probability"),
    ]

  static func required(_ arguments: Arguments) -> [[String]] {
    arguments.namesRun ? [] : [["--model"]]
  }
  static let examples = [
    Example("frugal predict runs/a photo.jpg", "classes by a run: its model with its delta"),
    Example(
      "frugal predict --model clip --classes cat,dog photos --csv > photos.csv",
      "zero-shot classes of a folder, as a table"),
  ]

  /// The arguments with the model and the delta of the run that the first operand is.
  private static func following(_ path: String, _ arguments: Arguments) throws -> Arguments {
    guard !arguments.has("--delta") else {
      throw UsageError("--delta", expected: "none with a run, which has its own", found: "both")
    }
    let folder = RunFolder(at: path)
    guard FileManager.default.fileExists(atPath: folder.delta.path) else {
      throw RunError(
        "\(FileName.shown(path)): expected a finished run, found no delta.safetensors (frugal tune --resume goes on)")
    }
    let model: String
    do { model = try folder.located(.model, folder.settings()) } catch let error as MissingPath {
      throw RunError("\(error) (--model with --delta names both)")
    }
    return arguments.setting("--model", to: model, droppingOperands: 1)
      .setting("--delta", to: "\(path)/\(folder.delta.lastPathComponent)")
  }

  static func run(_ arguments: Arguments) throws {
    let arguments = arguments.namesRun ? try following(arguments.operands[0], arguments) : arguments
    guard !arguments.operands.isEmpty else { throw UsageError("expected at least one image, found none") }
    guard !arguments.has("--json") || !arguments.has("--csv") else {
      throw UsageError("--csv", expected: "no --json with it", found: "both")
    }
    let named = try arguments.string("--classes").map { try ClassList($0).names }
    var choice = ClassChoice(
      top: try arguments.integer("--top", in: 1...1_000_000), threshold: try arguments.number("--threshold", in: 0...1),
      isMultiLabel: arguments.has("--multi-label"))
    try arguments.checkModelFlags()
    let modelPath = try arguments.required("--model")
    let paths = try ImagePaths(arguments.operands)
    guard !paths.files.isEmpty else { throw UsageError("expected at least one image, found none") }
    let tuned = try TunedModel(arguments, modelPath: modelPath, folder: nil, classes: named)
    guard tuned.hasLinearHead || !choice.isMultiLabel else {
      throw UsageError("--multi-label", expected: "a linear head, trained or of the model", found: "texts to compare")
    }
    if tuned.isMultiLabel, !choice.isMultiLabel {
      note(
        tuned.classes.count == 1
          ? "note: the head has one class, whose probability is a sigmoid"
          : "note: config.json: problem_type is multi_label_classification: each class has a probability of its own")
      choice.isMultiLabel = true
    }
    paths.reportSkipped()
    let form: PredictionWriter.Form = arguments.has("--json") ? .json : arguments.has("--csv") ? .csv : .text
    var writer = PredictionWriter(form)
    let unreadable = try predict(paths.files, tuned, choice, isQuiet: arguments.has("--skip-unreadable")) {
      try writer.write($0)
    }
    writer.finish()
    guard arguments.has("--skip-unreadable") else {
      guard unreadable.isEmpty else {
        throw RunError("\(unreadable.count) of \(plural(paths.files.count, "image")) could not be read")
      }
      return
    }
    report(unreadable: unreadable)
  }

  /// Predicts a few images at a time and hands on each answer as soon as it is known.
  ///
  /// - isQuiet: true if images that cannot be read are not named at once.
  /// - Returns: the errors of those.
  private static func predict(
    _ paths: [String], _ tuned: TunedModel, _ choice: ClassChoice, isQuiet: Bool, write: (PictureAnswer) throws -> Void
  ) throws -> [ImageError] {
    let loader = ImageLoader(preprocessing: tuned.pretrained.preprocessing)
    let logits = tuned.method.logits(values: [])
    var unreadable: [ImageError] = []
    for start in stride(from: 0, to: paths.count, by: 8) {
      let group = paths[start..<min(start + 8, paths.count)]
      let batch = loader.load(group.map { (URL(fileURLWithPath: $0), 0) })
      if !isQuiet { for error in batch.unreadable { failure("\(error)") } }
      unreadable += batch.unreadable
      guard !batch.kept.isEmpty else { continue }
      let found = logits(.images(batch.images))
      try found.requireFinite { paths[start + batch.kept[$0]] }
      let probabilities = choice.probabilities(found)
      for (row, position) in batch.kept.enumerated() {
        try write(choice.prediction(FileName.text(paths[start + position]), probabilities[row], tuned.classes))
      }
    }
    return unreadable
  }
}

extension Arguments {
  /// Whether the first operand is a run, which has a model and a delta.
  var namesRun: Bool {
    guard !has("--model"), let path = operands.first else { return false }
    // A model's folder has a config.json, too.
    let folder = RunFolder(at: path)
    return folder.isBegun && FileManager.default.fileExists(atPath: folder.metrics.path)
  }
}
