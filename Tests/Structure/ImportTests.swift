import Foundation
import FrugalTestSupport
import Testing

/// Imports run downwards only: a target imports targets of the rows before its own.
@Suite struct ImportTests {
  static let rows = [
    ["Processor", "Tensor", "Reference"], ["Formats"], ["Datasets", "Models"], ["Methods"], ["Checks", "Frugal"],
    ["Bench", "frugal", "Fuzz"],
  ]

  /// The targets that a target may import; `nil` for one that is in no row.
  private static func allowed(to target: String) -> Set<String>? {
    rows.firstIndex { $0.contains(target) }.map { Set(rows[..<$0].joined()) }
  }

  /// The targets of ours that a line imports, whatever its attributes and access level.
  private static func imported(by line: Substring) -> Set<String> {
    guard line.contains("import "), !line.isComment else { return [] }
    let words = line.words
    guard let statement = words.firstIndex(of: "import") else { return [] }
    return Set(words[statement...].map(String.init)).intersection(rows.joined())
  }

  /// The imports of a file that its target must not have.
  private static func upward(_ file: SourceFile) -> [String] {
    let allowed = allowed(to: file.target) ?? []
    return file.lines { !imported(by: $0).isSubset(of: allowed) }
  }

  /// The targets of ours that each target depends on, as the manifest has it.
  private static func dependencies(in manifest: String) -> [String: Set<String>] {
    let target = /\.(?:target|executableTarget)\(\s*name: "(\w+)"(?:,\s*dependencies: \[([^\]]*)\])?/
    return manifest.matches(of: target).reduce(into: [:]) { found, match in
      found[String(match.1)] = Set((match.2 ?? "").words.map(String.init))
    }
  }

  @Test func aTargetImportsOnlyWhatLiesBelowIt() throws {
    let files = try SourceFile.all(below: "Sources")
    #expect(files.count > 100)
    for file in files {
      #expect(Self.allowed(to: file.target) != nil, "\(file.path): expected a target with a place in the rows")
      #expect(Self.upward(file) == [])
    }
  }

  @Test func theManifestDependsOnWhatIsImported() throws {
    let manifest = try String(contentsOf: Fixtures.package.appendingPathComponent("Package.swift"), encoding: .utf8)
    let declared = Self.dependencies(in: manifest)
    for (target, files) in Dictionary(grouping: try SourceFile.all(below: "Sources"), by: \.target) {
      let imported = Set(files.flatMap(\.lines).flatMap(Self.imported))
      #expect(declared[target] == imported, "\(target): dependencies in the manifest, and imports in its files")
    }
  }

  @Test(arguments: [
    ("Tensor", "import Formats"), ("Datasets", "import Models"), ("Models", "  @testable import Datasets"),
    ("Methods", "@_exported import Checks"), ("Formats", "package import struct Models.Site"),
    ("Bench", "import frugal"), ("Reference", "import Tensor"), ("NoRow", "import Tensor"),
  ])
  func anUpwardImportIsFound(_ target: String, _ line: String) {
    #expect(Self.upward(SourceFile("Sources/\(target)/A.swift", "import Foundation\n\(line)\n")).count == 1)
    #expect(Self.upward(SourceFile("Sources/\(target)/A.swift", "import Foundation\n// \(line)\n")) == [])
  }
}
