import Checks
import Methods
import Models
import Tensor

/// A registry of checks, and its name: the first part of the full name `layers/linear/[2, 5, 17]→33`.
struct CheckFamily: Sendable {
  let name: String
  let checks: [any Check]

  /// The registries of the library, which its tests run too.
  static var all: [CheckFamily] {
    [
      CheckFamily(name: "operations", checks: OperationChecks.all + OperationChecks.expectations),
      CheckFamily(name: "layers", checks: LayerChecks.all),
      CheckFamily(name: "encoders", checks: MethodChecks.encoderChecks),
      CheckFamily(name: "heads", checks: MethodChecks.headChecks),
      CheckFamily(name: "methods", checks: MethodChecks.joint),
      CheckFamily(name: "pretraining", checks: ContrastiveLoss.checks),
    ]
  }

  /// A check and its family.
  struct Member: Selectable {
    let family: String
    let check: any Check

    var path: String { check.name }

    /// The kind of check: `differences`, `identity` or `expectation`.
    var kind: String {
      switch check {
      case is IdentityCheck: "identity"
      case is ExpectationCheck: "expectation"
      default: "differences"
      }
    }
  }

  /// The checks whose names begin with one of `names`; all of them if no name is given.
  ///
  /// - Throws: `UsageError` with the nearest subjects for a name that is no prefix of any.
  static func selected(_ names: [String], from families: [CheckFamily]) throws(UsageError) -> [Member] {
    try frugal.selected(
      names, from: families.flatMap { family in family.checks.map { Member(family: family.name, check: $0) } })
  }
}
