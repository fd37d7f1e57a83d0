import Foundation
import Testing

@testable import Formats

@Suite struct TerminalTextTests {
  @Test func whatATerminalObeysIsEscaped() {
    #expect(TerminalText.escaped("a\u{1B}[31mb\u{7F}") == "a\\x1B[31mb\\x7F")
    #expect(TerminalText.escaped("\u{9B}2J") == "\\u{9B}2J")
    #expect(TerminalText.escaped("name\u{202E}gnp") == "name\\u{202E}gnp")
    #expect(TerminalText.escaped("a\rb") == "a\\x0Db")
    for plain in ["", "two\nlines\tand a tab", "größer → 中文 é", "a\\x1B"] {
      #expect(TerminalText.escaped(plain) == plain)
    }
  }

  @Test func namesAreOnOneLine() {
    #expect(TerminalText.line("a\r\nb\tc\u{9B}") == "a\\x0D\\x0Ab\\x09c\\u{9B}")
    #expect(FileName.shown("a\nb\u{9B}c") == "a\\x0Ab\\u{9B}c")
    #expect(FileName.shown("é.png") == "é.png")
    #expect(FileName.shown(FileName.string([0x61, 0xE9])) == "a\\xE9")
  }

  @Test func jsonStaysTheSameValue() throws {
    let text = "a\u{7F}\u{9B}\u{202E}é"
    let escaped = TerminalText.escapedJSON(String(decoding: try JSONEncoder().encode([text]), as: UTF8.self))
    #expect(!escaped.unicodeScalars.contains { TerminalText.isControl($0) })
    #expect(try JSONDecoder().decode([String].self, from: Data(escaped.utf8)) == [text])
  }

  @Test func numbersOfJSONHaveALimit() throws {
    #expect(try JSON.decoded([Double].self, from: "[1, -2.5e3, 0]".utf8) == [1, -2500, 0])
    #expect(try JSON.decoded([String].self, from: #"["9223372036854775808 \" 1e308"]"#.utf8).count == 1)
    for text in ["[1e308]", "[-9223372036854775808]", "{\"a\": 18014398509481985.5e3}", "9223372036854775807"] {
      #expect(throws: JSONTextError.self) { try JSON.decoded([String: Double].self, from: text.utf8) }
    }
    #expect(throws: DecodingError.self) { try JSON.decoded([Double].self, from: "[1-2]".utf8) }
  }
}
