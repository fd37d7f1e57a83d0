import Methods

/// `frugal methods`: what can be trained, by whom it was published, and how much of a model it learns.
enum MethodsCommand: Command {
  static let name = "methods"
  static let summary = "all methods: paper, what is tuned, how much of it, and where defaults come from"
  static let operands = ""
  static let calculates = false
  static let options = [jsonOption]
  static let examples = [
    Example("frugal methods", "encoder tunings and heads; a plus between two names makes a pair"),
    Example("frugal methods --json", "the same, for a program"),
  ]

  /// The output of `--json`.
  private struct Listing: Encodable {
    struct Entry: Encodable {
      let name, half, paper: String
      let year: Int
      let tunes, count, defaults: String
    }

    let methods: [Entry]
  }

  private static let entries = MethodCard.all.map { name, isHead, card in
    Listing.Entry(
      name: name, half: isHead ? "head" : "encoder", paper: card.paper, year: card.year, tunes: card.tunes,
      count: card.count, defaults: card.defaults)
  }

  static func run(_ arguments: Arguments) throws {
    guard !arguments.has("--json") else { return try printJSON(Listing(methods: entries)) }
    let rows = entries.map { [$0.name, $0.half, $0.count, $0.tunes] }
    let table = aligned([["name", "half", "learned, ViT-B/16", "what"]] + rows)
    let lines = table.split(separator: "\n").map(String.init)
    let indent = String(repeating: " ", count: 2 + (entries.map(\.name.count).max() ?? 0))
    print(lines[0])
    for (line, entry) in zip(lines.dropFirst(), entries) {
      print("\(line)\n\(indent)\(entry.paper) (\(entry.year)); defaults: \(entry.defaults)")
    }
  }
}
