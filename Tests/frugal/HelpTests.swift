import Foundation
import FrugalTestSupport
import Methods
import Tensor
import Testing

@testable import frugal

@Suite struct HelpTests {
  @Test func overviewNamesEveryCommand() async throws {
    for words in [[], ["--help"], ["-h"], ["help"]] {
      let outcome = try await runFrugal(words)
      #expect(outcome.code == 0)
      #expect(outcome.errors.isEmpty)
      for command in commands { #expect(outcome.output.contains("  \(command.name) ")) }
    }
  }

  @Test(arguments: commands.map { $0.name }) func helpListsEveryFlag(name: String) async throws {
    let command = try #require(commands.first { $0.name == name })
    let outcome = try await runFrugal(name, "--help")
    #expect(outcome.code == 0)
    let lines = outcome.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    for option in command.options + commonOptions {
      let start = option.flag + (option.value.map { " \($0)" } ?? "")
      #expect(lines.contains { $0.hasPrefix(start + "  ") && $0.hasSuffix(option.help) }, "\(start)")
    }
    #expect(Set((command.options + commonOptions).map(\.flag)).count == command.options.count + commonOptions.count)
  }

  @Test func helpNeedsNothingElseToBeRight() async throws {
    let outcome = try await runFrugal("tune", "--no-such-flag", "-h")
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("usage: frugal tune [flags]"))
  }

  @Test func versionIsThatOfTheLibrary() async throws {
    let outcome = try await runFrugal("--version")
    #expect(outcome.code == 0)
    #expect(outcome.output == "frugal \(frugalVersion)\n")
  }
}
