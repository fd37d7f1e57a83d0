import Formats
import Foundation

/// `frugal explain`: one training step on a toy, every quantity of the paper's equations.
enum ExplainCommand: Command {
  static let name = "explain"
  static let summary = "one training step of a paper on a toy, to be followed with pencil and paper"
  static let operands = "r-amt | spt | task-res"
  static let options = [
    Option("--only", "PATTERN", isRepeatable: true, "formulas to show, * standing for any text; repeatable"),
    Option("--svg", "FILE", "a picture of the quantities"),
    jsonOption,
  ]

  /// The toys, by the names of the pages in `docs/methods`.
  static let explanations: [(name: String, make: @Sendable () -> Explanation)] = [
    ("r-amt", Explanation.maskTuning), ("spt", Explanation.sensitivity), ("task-res", Explanation.taskRes),
  ]

  /// The output of `--json`.
  private struct Listing: Encodable {
    struct Quantity: Encodable {
      let equation, formula: String
      let shape: [Int]
      let values: [Double]
    }

    let introduction: String
    let quantities: [Quantity]

    init(_ explanation: Explanation) {
      introduction = explanation.introduction
      quantities = explanation.quantities.map { quantity in
        Quantity(
          equation: quantity.equation, formula: quantity.formula, shape: quantity.value.shape.extents,
          values: quantity.value.values.map { Double($0) })
      }
    }
  }

  static let examples = [
    Example("frugal explain r-amt", "one step of mask tuning"),
    Example("frugal explain task-res", "one step of TaskRes"),
    Example("frugal explain r-amt --only \"W*\" --only \"B*\" --svg mask.svg", "a picture of weights under a mask"),
  ]

  static func run(_ arguments: Arguments) throws {
    let names = explanations.map(\.name).joined(separator: ", ")
    guard arguments.operands.count == 1 else {
      throw UsageError("expected one of \(names), found \(arguments.operands.count) words")
    }
    guard let found = explanations.first(where: { $0.name == arguments.operands[0] }) else {
      throw UsageError("\"\(arguments.operands[0])\": expected one of \(names)")
    }
    let explanation = try found.make().only(arguments.strings("--only"))
    if let file = arguments.string("--svg") {
      let picture = explanation.picture(titled: "One step of \(found.name) on a toy")
      try AtomicFile.write(Array(picture.standalone.utf8), to: URL(fileURLWithPath: file))
    }
    if arguments.has("--json") { try printJSON(Listing(explanation)) } else { print(explanation.text) }
  }
}
