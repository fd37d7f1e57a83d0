import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// `frugal completions` and `frugal man`, both made from the table of flags.
@Suite struct CompletionsTests {
  /// The output of a command of the system; `nil` if it is not there.
  private func run(_ program: String, _ arguments: [String], _ input: String) throws -> String? {
    guard FileManager.default.isExecutableFile(atPath: program) else { return nil }
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: try folder.write(input, to: "input"))
    process.standardOutput = try FileHandle(forWritingTo: try folder.write("", to: "output"))
    process.standardError = try FileHandle(forWritingTo: try folder.write("", to: "errors"))
    try process.run()
    process.waitUntilExit()
    let errors = String(decoding: try folder.bytes("errors"), as: UTF8.self)
    #expect(process.terminationStatus == 0 && errors.isEmpty, "\(program): \(errors)")
    return String(decoding: try folder.bytes("output"), as: UTF8.self)
  }

  @Test(arguments: [
    ("frugal tu", "tune"), ("frugal help gra", "gradcheck grade"), ("frugal tune --shi", "--shift"),
    ("frugal tune --optimizer ad", "adam adamw"), ("frugal tune --method spt-l", "spt-lora"),
    ("frugal predict --dataset x", ""), ("frugal evaluate --exif ", "rotate ignore"),
    ("frugal completions ", "bash zsh fish"), ("frugal explain ta", "task-res"),
  ]) func bashCompletes(_ line: String, _ expected: String) async throws {
    let outcome = try await runFrugal("completions", "bash")
    #expect(outcome.code == 0)
    let words = line.split(separator: " ", omittingEmptySubsequences: false).map { "'\($0)'" }.joined(separator: " ")
    let script =
      outcome.output + "COMP_WORDS=(\(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _frugal\n"
      + "echo \"${COMPREPLY[@]}\"\n"
    let found = try run("/bin/bash", ["--norc"], script)
    #expect(found == expected + "\n")
  }

  @Test(arguments: Completions.Shell.allCases) func everyFlagIsCompleted(_ shell: Completions.Shell) throws {
    let script = Completions.script(shell)
    for option in commands.flatMap({ $0.options }) {
      let word = shell == .fish ? "-l \(option.flag.dropFirst(2)) " : option.flag
      #expect(script.contains(word), "\(option.flag)")
    }
    for (program, name) in [("/usr/bin/zsh", Completions.Shell.zsh), ("/usr/bin/fish", .fish)] where name == shell {
      _ = try run(program, ["-n"], script)
    }
  }

  /// What fish itself answers, where it is installed.
  @Test(arguments: [
    ("frugal tu", ["tune"]), ("frugal help gra", ["gradcheck", "grade"]), ("frugal he", ["help"]),
    ("frugal tune --shi", ["--shift"]), ("frugal tune --optimizer ad", ["adam", "adamw"]),
    ("frugal tune --optimizer=ad", ["--optimizer=adam", "--optimizer=adamw"]),
    ("frugal tune --data report --spl", ["--split"]), ("frugal completions ", ["bash", "fish", "zsh"]),
    ("frugal tune --data report --titl", []),
  ]) func fishCompletes(_ line: String, _ expected: [String]) throws {
    let script = Completions.script(.fish) + "complete -C '\(line)'\n"
    guard let output = try run("/usr/bin/fish", ["--no-config"], script) else { return }
    let found = output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
    #expect(found == expected)
  }

  @Test func anUnknownShellIsRefused() async throws {
    expectRefusal(
      try await runFrugal("completions", "csh"), code: 2,
      ["frugal completions: expected bash, zsh, fish, found \"csh\""])
    expectRefusal(try await runFrugal("completions"), code: 2, ["found nothing"])
  }

  @Test func theManualPageNamesEveryFlag() async throws {
    let outcome = try await runFrugal("man")
    #expect(outcome.code == 0 && outcome.output.hasPrefix(".TH FRUGAL 1 "))
    for command in commands {
      #expect(outcome.output.contains("\n.SS \(command.name)"))
      for option in command.options + commonOptions {
        #expect(outcome.output.contains(ManualPage.escaped(option.flag)), "\(option.flag)")
      }
    }
    // No line is a request by accident.
    let requests = Set(["TH", "SH", "SS", "TP", "B", "I", "PP", "RS", "RE", "nf", "fi"])
    for line in outcome.output.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
      #expect(requests.contains(String(line.dropFirst().prefix { $0 != " " })), "\(line)")
    }
    #expect(ManualPage.escaped(".a-b\\") == "\\&.a\\-b\\e")
    if let text = try run("/usr/bin/man", ["-l", "-"], outcome.output) { #expect(text.contains("EXIT STATUS")) }
  }
}
