import Methods
import Models
import Tensor

/// A registry of checks, and what it is called: the first part of the full name `layers/linear/[2, 5, 17]→33`.
struct CheckFamily: Sendable {
  let name: String
  let checks: [any Check]

  /// The registries of the library, which its tests run too.
  static var all: [CheckFamily] {
    [
      CheckFamily(name: "operations", checks: OperationChecks.all + OperationChecks.expectations),
      CheckFamily(name: "layers", checks: LayerChecks.all),
      CheckFamily(name: "encoders", checks: MethodName.Encoder.allCases.flatMap(MethodChecks.checks)),
      CheckFamily(name: "heads", checks: MethodName.Head.allCases.flatMap(MethodChecks.checks)),
      CheckFamily(name: "methods", checks: MethodChecks.joint),
    ]
  }

  /// A check and the family it is of.
  struct Member: Sendable {
    let family: String
    let check: any Check

    /// `layers/linear`
    var subject: String { "\(family)/\(check.subject)" }
    /// `layers/linear/[2, 5, 17]→33`
    var name: String { "\(family)/\(check.name)" }

    /// How it is checked: `differences`, `identity` or `expectation`.
    var kind: String {
      switch check {
      case is IdentityCheck: "identity"
      case is ExpectationCheck: "expectation"
      default: "differences"
      }
    }

    /// Whether a name, with the family or without, begins like this.
    func matches(_ prefix: String) -> Bool { name.hasPrefix(prefix) || check.name.hasPrefix(prefix) }
  }

  /// The checks whose names begin with one of `names`; all of them where no name is given.
  ///
  /// - Throws: `UsageError` with the nearest subjects for a name with which none begins.
  static func selected(_ names: [String], from families: [CheckFamily]) throws(UsageError) -> [Member] {
    let all = families.flatMap { family in family.checks.map { Member(family: family.name, check: $0) } }
    for name in names where name.isEmpty || !all.contains(where: { $0.matches(name) }) {
      let near = nearest(to: name, among: families.map(\.name) + all.flatMap { [$0.check.subject, $0.subject] })
      throw UsageError(
        "\"\(name)\": expected a check or the beginning of its name, found none (nearest: \(near.joined(separator: ", ")))"
      )
    }
    return names.isEmpty ? all : all.filter { member in names.contains { member.matches($0) } }
  }

  /// The three words with the fewest differences, the nearest first.
  private static func nearest(to word: String, among known: [String]) -> [String] {
    var seen: Set<String> = []
    let words = known.filter { seen.insert($0).inserted }
    // A long word would make its distance to every subject a long calculation.
    let short = String(word.prefix(100))
    let ranked = words.map { (word: $0, distance: editDistance(short, $0)) }
      .sorted { ($0.distance, $0.word) < ($1.distance, $1.word) }
    return ranked.prefix(3).map(\.word)
  }
}
