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
  static let operands = "PICTURE…"
  static let options =
    [
      modelOption,
      Option(
        "--delta", "FILE",
        "delta of a run, or masks as their method's authors save them; without one the model is used zero-shot"),
      Option("--classes", "A,B,…", "class names, if there is no delta with its own"),
      Option("--top", "N", "how many classes to show per image (default 5)"),
    ] + textOptions + hintOptions + [
      normalizeOption,
      skipOption,
      Option("--json", "print the result as JSON"),
    ]

  /// The output of `--json` for one image.
  struct Answer: Encodable {
    struct Class: Encodable {
      let name: String
      let probability: Double
    }
    let picture: String
    let classes: [Class]
  }

  static func run(_ arguments: Arguments) throws {
    let paths = arguments.operands
    guard !paths.isEmpty else { throw UsageError("expected at least one image, found none") }
    let top = try arguments.integer("--top", in: 1...1_000_000) ?? 5
    let named = arguments.string("--classes")?.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    if let named, named.isEmpty || named.contains("") {
      throw UsageError("--classes", expected: "names separated by commas", found: "an empty one")
    }
    let tuned = try TunedModel(
      arguments, modelPath: try arguments.required("--model"), folder: nil, classes: named)
    let loader = ImageLoader(preprocessing: tuned.pretrained.preprocessing)
    var answers: [Answer] = []
    var unreadable: [ImageError] = []
    for start in stride(from: 0, to: paths.count, by: 32) {
      let group = paths[start..<min(start + 32, paths.count)]
      let batch = loader.load(group.map { (URL(fileURLWithPath: $0), 0) })
      if let error = batch.unreadable.first, !arguments.has("--skip-unreadable") { throw error }
      unreadable += batch.unreadable
      guard !batch.kept.isEmpty else { continue }
      let logits = tuned.method.logits(.images(batch.images), values: [])
      try logits.requireFinite { paths[start + batch.kept[$0]] }
      let probabilities = Variable(logits).softmax().value.values
      for (row, position) in batch.kept.enumerated() {
        let count = tuned.classes.count
        let values = probabilities[row * count..<(row + 1) * count].enumerated()
        let best = values.sorted { $0.element > $1.element }.prefix(top)
        answers.append(
          Answer(
            picture: paths[start + position],
            classes: best.map { .init(name: tuned.classes[$0.offset], probability: Double($0.element)) }))
      }
    }
    report(unreadable: unreadable)
    if arguments.has("--json") { return try printJSON(answers) }
    for answer in answers {
      let classes = answer.classes.map { "\($0.name) \(percent(100 * $0.probability)) %" }
      print("\(answer.picture): \(classes.joined(separator: ", "))")
    }
  }
}
