import Foundation
import FrugalTestSupport
import Testing

/// Files and lines that fit on a page.
@Suite struct LengthTests {
  static let (longestLine, longestFile) = (120, 300)

  private static let documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]

  /// Markdown files of the clone.
  private static func prose() throws -> [SourceFile] {
    let folders = try ["docs", "Sources", "Tests"].flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: Fixtures.package.appendingPathComponent(folder).path)
        .filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
    }
    return try (documents + folders.sorted()).map { try SourceFile($0) }
  }

  /// The lines of comments that are too long, but for addresses and rows of tables.
  private static func longComments(_ file: SourceFile) -> [String] {
    file.lines { line in
      isLong(line) && (line.isComment || line.contains(/\s\/\/\s/)) && !line.contains(/:\/\/|^\s*\/\/\/? \|/)
    }
  }

  /// The lines of prose that are too long, but for addresses, rows of tables and blocks of code.
  private static func longProse(_ file: SourceFile) -> [String] {
    var isCode = false
    return file.lines { line in
      if line.hasPrefix("```") { isCode.toggle() }
      return !isCode && isLong(line) && !line.contains(/:\/\/|^\s*\||^ {4}/)
    }
  }

  /// Bytes are counted first, as counting characters takes its time.
  private static func isLong(_ line: Substring) -> Bool {
    line.utf8.count > longestLine && line.count > longestLine
  }

  @Test func noCommentHasALongLine() throws {
    let files = try ["Sources", "Tests"].flatMap { try SourceFile.all(below: $0) } + [SourceFile("Package.swift")]
    for file in files { #expect(Self.longComments(file) == []) }
  }

  @Test func noDocumentHasALongLine() throws {
    let files = try Self.prose()
    #expect(files.count > Self.documents.count + 10)
    for file in files { #expect(Self.longProse(file) == []) }
  }

  @Test func aSourceFileIsShort() throws {
    for file in try SourceFile.all(below: "Sources") {
      let count = file.lines.count - 1
      #expect(count < Self.longestFile, "\(file.path): expected fewer than \(Self.longestFile) lines, found \(count)")
    }
  }

  @Test func aLongLineIsFound() {
    let (long, word) = (String(repeating: "word ", count: 30), String(repeating: "∂", count: 120))
    let comments = [
      "/// \(long)", "  // \(long)", "let a = 1  // \(long)", "/// https://\(long)", "/// | \(long)",
      "let a = \"\(long)\"", word,
    ]
    #expect(Self.longComments(SourceFile("A.swift", comments.joined(separator: "\n"))).count == 3)
    let prose = [
      long, "- \(long)", "| \(long)", "[a](https://\(long))", "```", long, "```", "    \(long)", word,
    ]
    #expect(Self.longProse(SourceFile("A.md", prose.joined(separator: "\n"))).count == 2)
  }
}
