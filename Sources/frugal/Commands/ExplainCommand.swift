/// `frugal explain`: one training step on a toy, every quantity of the paper's equations.
enum ExplainCommand: Command {
  static let name = "explain"
  static let summary = "one training step of a paper on a toy, to be followed with pencil and paper"
  static let operands = "r-amt | spt | task-res"
  static let options: [Option] = []

  /// The toys, by the names of the pages in `docs/methods`.
  static let explanations: [(name: String, make: @Sendable () -> Explanation)] = [
    ("r-amt", Explanation.maskTuning), ("spt", Explanation.sensitivity), ("task-res", Explanation.taskRes),
  ]

  static func run(_ arguments: Arguments) throws {
    let names = explanations.map(\.name).joined(separator: ", ")
    guard arguments.operands.count == 1 else {
      throw UsageError("expected one of \(names), found \(arguments.operands.count) words")
    }
    guard let found = explanations.first(where: { $0.name == arguments.operands[0] }) else {
      throw UsageError("\"\(arguments.operands[0])\": expected one of \(names)")
    }
    print(found.make().text)
  }
}
