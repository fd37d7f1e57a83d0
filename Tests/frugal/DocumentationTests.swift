import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

/// What the documents point to exists: suites, files, flags.
@Suite struct DocumentationTests {
  static let documents = ["README.md", "CONTRIBUTING.md"] + documents(in: "docs") + documents(in: "docs/methods")

  private static func documents(in folder: String) -> [String] {
    let url = Fixtures.package.appendingPathComponent(folder)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.sorted().map { "\(folder)/\($0)" }
  }

  private static let sources: String = {
    let enumerator = FileManager.default.enumerator(
      at: Fixtures.package.appendingPathComponent("Tests"), includingPropertiesForKeys: nil)
    let files = (enumerator?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    return files.compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined(separator: "\n")
  }()

  private func text(_ document: String) throws -> String {
    try String(contentsOf: Fixtures.package.appendingPathComponent(document), encoding: .utf8)
  }

  @Test(arguments: documents) func everySuiteThatIsNamedExists(_ document: String) throws {
    for match in try text(document).matches(of: /`([A-Z][A-Za-z0-9]*Tests)`/) {
      #expect(Self.sources.contains("struct \(match.1) "), "\(document) names the suite \(match.1)")
    }
  }

  @Test(arguments: documents) func everySourceFileThatIsNamedExists(_ document: String) throws {
    for match in try text(document).matches(
      of: /`((?:Sources\/)?(?:Tensor|Models|Datasets|Methods)\/[A-Za-z0-9\/]*\.swift)`/)
    {
      let path = match.1.hasPrefix("Sources/") ? String(match.1) : "Sources/\(match.1)"
      let exists = FileManager.default.fileExists(atPath: Fixtures.package.appendingPathComponent(path).path)
      #expect(exists, "\(document) names the file \(match.1)")
    }
  }

  @Test(arguments: documents) func everyFlagOfAnExampleIsUnderstood(_ document: String) throws {
    for match in try text(document).matches(
      of: /frugal ([a-z]+) ([^\n#`]*)/)
    {
      guard let command = commands.first(where: { $0.name == String(match.1) }) else { continue }
      let known = Set((command.options + commonOptions).map(\.flag))
      for flag in match.2.matches(of: /--[a-z][a-z0-9-]*/) {
        #expect(known.contains(String(flag.0)), "\(document) gives frugal \(match.1) the flag \(flag.0)")
      }
    }
  }

  /// The example of the README is the snippet that is built and run, to the letter.
  @Test func theExampleOfTheReadmeIsTheSnippet() throws {
    let snippet = try text("Snippets/TuneTaskRes.swift").split(separator: "\n", omittingEmptySubsequences: false)
      .drop { $0.hasPrefix("//!") }.joined(separator: "\n").trimmingCharacters(in: .newlines)
    #expect(try text("README.md").contains("```swift\n\(snippet)\n```"))
  }

  /// What the article on sites and passes shows is a part of the snippet that is built and run.
  @Test func theCodeOfTheArticleIsTheSnippet() throws {
    let snippet = try text("Snippets/SitesAndPasses.swift")
    let blocks = try text("Sources/Models/Documentation.docc/SitesAndPasses.md").split(separator: "```").filter {
      $0.hasPrefix("swift\n")
    }
    #expect(blocks.count == 3)
    for line in blocks.flatMap({ $0.split(separator: "\n").dropFirst() }) {
      #expect(snippet.contains("\(line)\n"), "\(line)")
    }
  }
}
