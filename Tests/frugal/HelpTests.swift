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

  /// The words of a text with one space between them.
  private func flat(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }

  @Test(arguments: commands.map { $0.name }) func helpListsEveryFlag(name: String) async throws {
    let command = try #require(commands.first { $0.name == name })
    let outcome = try await runFrugal([name, "--help"], environment: ["COLUMNS": "80"])
    #expect(outcome.code == 0)
    let text = flat(outcome.output)
    for option in command.options + commonOptions where option.isListed {
      #expect(text.contains(flat("\(option.shown) \(option.help)")), "\(option.flag)")
    }
    #expect(Set((command.options + commonOptions).map(\.flag)).count == command.options.count + commonOptions.count)
    // Wrapped to the terminal; examples are lines to be copied, and a long value or list is one word.
    let long = outcome.output.split(separator: "\n").filter { $0.count > 80 && $0.contains(" ") }
    #expect(long.allSatisfy { $0.hasPrefix("  frugal ") || $0.hasPrefix("usage:") }, "\(long)")
    #expect(try await runFrugal(["help", name], environment: ["COLUMNS": "80"]).output == outcome.output)
    #expect(!outcome.output.contains("\u{1B}"), "a file gets no colours")
  }

  /// The flags of a head are one line, but those of its rate and its decay, which have lines with their defaults.
  @Test func theFlagsOfAHeadAreNamedTogether() async throws {
    let text = flat(try await runFrugal("tune", "--help").output)
    let names = RecipeFlags.ofOptimizers.filter { !RecipeFlags.rates.contains($0) }.map { String($0.dropFirst(2)) }
    let line = "as that flag, for a head that is trained with the encoder: \(names.joined(separator: ", "))"
    #expect(text.contains(line) && names.contains("beta1") && names.contains("warmup"))
    #expect(text.contains("--head-lr X") && !text.contains("--head-momentum"))
    let pair = TuneCommand.options(for: ["--method", "prolip+clap"]).map(\.flag)
    #expect(pair.count { $0 == "--views" } == 1)
  }

  @Test func flagsAreInGroups() throws {
    let words = ["tune", "--method", "r-amt"]
    let page = HelpPage(command: TuneCommand.self, words: words, columns: 80)
    let groups = Dictionary(uniqueKeysWithValues: page.groups.map { ($0.group, $0.options.map(\.flag)) })
    #expect(groups[.required] == ["--model", "--data"] || groups[.required] == ["--model", "--data", "--data-list"])
    #expect(groups[.method]?.contains("--lambda") == true && groups[.method]?.contains("--rank") == false)
    #expect(groups[.training]?.contains("--epochs") == true && groups[.data]?.contains("--shots") == true)
    #expect(page.groups.map(\.group) == FlagGroup.allCases)
  }

  @Test(arguments: commands.map { $0.name }) func everyCommandHasTwoExamplesThatItUnderstands(name: String) throws {
    let command = try #require(commands.first { $0.name == name })
    #expect(command.examples.count >= 2)
    let known = Set((command.options + commonOptions).map(\.flag))
    for example in command.examples {
      #expect(example.line.contains("frugal \(name)"), "\(example.line)")
      for flag in example.line.matches(of: /--[a-z][a-z-]*/) { #expect(known.contains(String(flag.0)), "\(flag.0)") }
    }
  }

  @Test func anUnknownCommandHasNoHelp() async throws {
    let outcome = try await runFrugal("help", "tun")
    expectRefusal(outcome, code: 1, ["help: expected a command, found \"tun\" (did you mean tune?)"])
    #expect(outcome.output.isEmpty)
  }

  @Test func helpNeedsNothingElseToBeRight() async throws {
    let outcome = try await runFrugal("tune", "--no-such-flag", "-h")
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("usage: frugal tune [flags]"))
  }

  @Test func versionIsThatOfTheLibrary() async throws {
    for word in ["--version", "-V"] {
      let outcome = try await runFrugal(word)
      #expect(outcome.code == 0)
      #expect(outcome.output == "frugal \(frugalVersion)\n")
    }
  }
}
