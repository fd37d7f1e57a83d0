import Testing

/// Runs a test on the golden files it compares with: on the small sets of the clone, and on the large ones where they
/// are.
///
///     @Suite(.golden(.clip))                           // each test runs once for each root that has the folder
///     @Suite(.golden(.vit, having: "swin-forward"))    // a case that the small set may lack
///     @Suite(.goldenCases(.ops))                       // the arguments are `foundCases()`, of all roots
///
/// A test that no root can serve is skipped with the path of what is missing.
package struct GoldenTrait: SuiteTrait, TestTrait, TestScoping {
  /// Those that have what the test needs.
  let roots: [GoldenRoot]
  /// What the roots lack that the test cannot run on.
  let missing: [String]
  /// Whether the test runs once for each root.
  let isForEachRoot: Bool
  let sourceLocation: SourceLocation

  package var isRecursive: Bool { true }

  init(_ sets: [GoldenSet], having names: [String], isForEachRoot: Bool, sourceLocation: SourceLocation) {
    var (roots, missing) = ([GoldenRoot](), [String]())
    for root in GoldenRoot.all {
      let lack = Self.lack(of: sets, having: names, in: root)
      if let lack { missing.append(lack) } else { roots.append(root) }
    }
    (self.roots, self.missing) = (roots, missing)
    (self.isForEachRoot, self.sourceLocation) = (isForEachRoot, sourceLocation)
  }

  /// What a root lacks. Only the small sets may lack cases: a test fails on a large one that does.
  private static func lack(of sets: [GoldenSet], having names: [String], in root: GoldenRoot) -> String? {
    if let file = sets.lazy.compactMap({ $0.missing(in: root) }).first { return "no golden file \(file.path)" }
    guard root == .small else { return nil }
    let found = Set(sets.flatMap { $0.cases(in: root) }.map(\.name))
    guard let name = names.first(where: { !found.contains($0) }) else { return nil }
    return "no golden case \(name) in \(root.url.path)"
  }

  package func prepare(for test: Test) async throws {
    guard roots.isEmpty else { return }
    let reason = missing.joined(separator: ", ")
    try await ConditionTrait.enabled(
      if: false, "\(reason): FRUGAL_FIXTURES names the folder of the large golden sets", sourceLocation: sourceLocation
    ).prepare(for: test)
  }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard isForEachRoot else { return try await function() }
    // A suite's trait is around those of its tests.
    for root in GoldenRoot.current.map({ [$0] }) ?? GoldenRoot.all where roots.contains(root) {
      let naming = IssueHandlingTrait.compactMapIssues { issue in
        var issue = issue
        issue.comments.append("\(root) golden sets, \(root.url.path)")
        return issue
      }
      try await GoldenRoot.$current.withValue(root) {
        try await naming.provideScope(for: test, testCase: testCase) {
          // One root's failure keeps no other from being tried.
          do { try await function() } catch is ExpectationFailedError {
          } catch { Issue.record(error, sourceLocation: sourceLocation) }
        }
      }
    }
  }
}

extension Trait where Self == GoldenTrait {
  /// Runs a test once for each root that has the folders.
  ///
  /// - having: cases of theirs without which the test cannot run.
  package static func golden(
    _ sets: GoldenSet..., having names: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) -> Self {
    GoldenTrait(sets, having: names, isForEachRoot: true, sourceLocation: sourceLocation)
  }

  /// Runs a test once for each of its arguments, which are cases of all roots.
  package static func goldenCases(
    _ sets: GoldenSet..., having names: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) -> Self {
    GoldenTrait(sets, having: names, isForEachRoot: false, sourceLocation: sourceLocation)
  }
}
