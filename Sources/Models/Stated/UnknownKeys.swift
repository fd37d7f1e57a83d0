import Formats

extension StatedKeys {
  /// A warning for each key of a file that nothing has read; the first 20 of many, and how many more there are.
  package static func warnings(unread keys: [String], in location: String) -> [String] {
    let rest = keys.count - 20
    return keys.prefix(20).map { "\(location): \(TerminalText.line($0)): unknown key, ignored" }
      + (rest > 0 ? ["\(location): \(rest) more unknown key\(rest == 1 ? "" : "s"), ignored"] : [])
  }
}
