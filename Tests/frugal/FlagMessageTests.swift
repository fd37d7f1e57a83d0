import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// Every flag that a message names is one that the command understands.
@Suite struct FlagMessageTests {
  private static let known = Set((commands.flatMap { $0.options } + commonOptions).map(\.flag))

  /// The source files below a folder of the package.
  private static func files(_ folder: String) -> [URL] {
    let enumerator = FileManager.default.enumerator(
      at: Fixtures.package.appendingPathComponent(folder), includingPropertiesForKeys: nil)
    return (enumerator?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
  }

  /// The flags in the lines of code of a file, without those of other programs.
  private func flags(in file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .filter { line in
        !line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
          && !["swift run --scratch-path", "#SBATCH"].contains { line.contains($0) }
      }
      .flatMap { $0.matches(of: /--[a-z][a-z0-9-]*/).map { String($0.0) } }
  }

  @Test func noMessageNamesAnUnknownFlag() throws {
    for file in Self.files("Sources/frugal") where !file.path.contains("/Report/") {
      for flag in try flags(in: file) {
        #expect(Self.known.contains(flag) || flag == "--version", "\(file.lastPathComponent): \(flag)")
      }
    }
  }

  /// What a command itself says is about its own flags, or names another command.
  @Test(arguments: commands.map { $0.name }) func aCommandNamesItsOwnFlags(_ name: String) throws {
    let command = try #require(commands.first { $0.name == name })
    let own = Set((command.options + commonOptions).map(\.flag))
    let file = try #require(
      Self.files("Sources/frugal/Commands").first {
        $0.lastPathComponent.lowercased() == "\(name)command.swift"
      })
    let foreign: [String: Set<String>] = [
      "predict": ["--resume"], "demo": ["--list"], "plan": ["--resume", "--dry-run", "--print-config"],
      "doctor": ["--cache"],
    ]
    for flag in try flags(in: file) where !(foreign[name] ?? []).contains(flag) {
      #expect(own.contains(flag), "\(file.lastPathComponent): \(flag)")
    }
  }

  /// A setting of the library that a message calls by its name is the flag of that name.
  @Test func everySettingIsAFlag() throws {
    for file in Self.files("Sources/Methods") {
      for match in try String(contentsOf: file, encoding: .utf8).matches(of: /SettingError\(\s*"([a-z-]+)"/) {
        #expect(Self.known.contains("--\(match.1)"), "\(file.lastPathComponent): \(match.1)")
      }
    }
  }
}
