import Testing

@testable import frugal

@Suite struct TerminalTests {
  @Test func coloursAreForTerminalsOnly() {
    #expect(Terminal.hasColours(isTerminal: true, [:]))
    #expect(Terminal.hasColours(isTerminal: true, ["NO_COLOR": "", "TERM": "xterm"]))
    #expect(!Terminal.hasColours(isTerminal: false, [:]))
    #expect(!Terminal.hasColours(isTerminal: true, ["NO_COLOR": "1"]))
    #expect(!Terminal.hasColours(isTerminal: true, ["TERM": "dumb"]))
  }

  @Test func wordsAreWrapped() {
    #expect(HelpPage.wrapped("aa bb cc dd ee ff gg hh", indent: 2, columns: 22) == "  aa bb cc dd ee ff gg\n  hh")
    let long = String(repeating: "x", count: 40)
    #expect(HelpPage.wrapped("a \(long) b", indent: 0, columns: 30) == "a\n\(long)\nb")
    #expect(HelpPage.wrapped("", indent: 4, columns: 80).isEmpty)
  }
}
