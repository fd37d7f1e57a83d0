import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// The starters of all exercises compile as they are handed out.
@Suite struct ExerciseStarterTests {
  /// The path of a program, if it is installed.
  private static func path(of program: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  static let (swift, python) = (path(of: "swiftc"), path(of: "python3"))

  /// Runs a program to its end and returns its exit code and what it said.
  private func run(_ program: String, _ words: [String]) throws -> (code: Int32, errors: String) {
    let (process, errors) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: program)
    (process.arguments, process.standardError) = (words, errors)
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  private func starters(_ file: String) async throws -> (TemporaryFolder, [String]) {
    let folder = try TemporaryFolder()
    for exercise in Exercise.all {
      let words = ["exercise", exercise.name, "--student", "ada", "--out", folder.path(exercise.name)]
      #expect(try await runFrugal(words).code == 0)
    }
    return (folder, Exercise.all.map { folder.path("\($0.name)/\(file)") })
  }

  @Test(.enabled(if: swift != nil)) func swiftStartersCompile() async throws {
    let (folder, files) = try await starters("Solution.swift")
    let before = folder.contents
    for file in files {
      let found = try run(Self.swift ?? "", ["-typecheck", file])
      #expect(found.code == 0, "\(file): \(found.errors)")
    }
    #expect(folder.contents == before)
  }

  @Test(.enabled(if: python != nil)) func pythonStartersCompile() async throws {
    let (folder, files) = try await starters("solution.py")
    let before = folder.contents
    let found = try run(
      Self.python ?? "", ["-c", "import sys\nfor f in sys.argv[1:]: compile(open(f).read(), f, 'exec')"] + files)
    #expect(found.code == 0, "\(found.errors)")
    #expect(folder.contents == before)
  }
}
