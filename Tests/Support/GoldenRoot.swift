import Foundation

/// A folder of golden sets: the small one that every clone carries, or the large one outside of it.
///
/// A test of the trait `.golden(…)` runs once for each, and `GoldenSet` reads the one of the moment. A golden case
/// that is an argument of a test knows its own.
package struct GoldenRoot: Hashable, Sendable, CustomStringConvertible {
  /// "small" or "large".
  package let name: String
  package let url: URL
  package var description: String { name }

  /// The sets of the clone, pruned from the large ones by the script that lies beside them.
  package static let small = GoldenRoot(
    name: "small", url: Fixtures.embedded.appendingPathComponent("golden", isDirectory: true))

  /// The sets that `FRUGAL_FIXTURES` names.
  package static let large = GoldenRoot(name: "large", url: Fixtures.large)

  /// Those that must be there.
  package static let all = Fixtures.areLargeExpected ? [small, large] : [small]

  /// The one that the running test is to read.
  @TaskLocal package static var current: GoldenRoot?

  /// The same; a mistake of who wrote the test where there is none.
  package static var ofTheTest: GoldenRoot {
    guard let current else {
      fatalError("GoldenSet: expected a test of .golden(…), or the root of a case that is its argument, found neither")
    }
    return current
  }
}
