/// Something that can be selected by a prefix of its name: `layers/linear/[2, 5, 17]→33`.
protocol Selectable: Sendable {
  /// `layers`
  var family: String { get }
  /// `linear/[2, 5, 17]→33`
  var path: String { get }
}

extension Selectable {
  /// The path with the family before it.
  var name: String { "\(family)/\(path)" }

  /// `layers/linear`
  var subject: String { "\(family)/\(pathSubject)" }

  /// `linear`
  private var pathSubject: Substring { path.prefix { $0 != "/" } }

  /// Returns whether its name, with or without the family, has this prefix.
  func matches(_ prefix: String) -> Bool { name.hasPrefix(prefix) || path.hasPrefix(prefix) }

  /// The names suggested for a misspelt one.
  fileprivate var candidates: [String] { [family, String(pathSubject), subject] }
}

/// The members whose names begin with one of `names`; all of them if no name is given.
///
/// - Throws: `UsageError` with the nearest families and subjects for a name that is no prefix of any.
func selected<Member: Selectable>(
  _ names: [String], from all: [Member], expected: String = "a check"
) throws(UsageError) -> [Member] {
  for name in names where name.isEmpty || !all.contains(where: { $0.matches(name) }) {
    let near = nearest(to: name, among: all.flatMap(\.candidates)).joined(separator: ", ")
    throw UsageError(
      "\"\(name)\": expected \(expected) or the beginning of its name, found none (nearest: \(near))")
  }
  return names.isEmpty ? all : all.filter { member in names.contains { member.matches($0) } }
}

/// The three words with the fewest differences, the nearest first.
private func nearest(to word: String, among known: [String]) -> [String] {
  // A long word would make its distance to every subject a long calculation.
  let short = String(word.prefix(100))
  let ranked = known.unique.map { (word: $0, distance: editDistance(short, $0)) }
    .sorted { ($0.distance, $0.word) < ($1.distance, $1.word) }
  return ranked.prefix(3).map(\.word)
}
