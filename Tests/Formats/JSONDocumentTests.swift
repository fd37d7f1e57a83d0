import Foundation
import Testing

@testable import Formats

/// A JSON text that is changed in part and else kept as it was written.
@Suite struct JSONDocumentTests {
  private func document(_ text: String) throws -> JSONDocument { try JSONDocument(Array(text.utf8)) }

  @Test func numbersAndOrderStayAsTheyWereWritten() throws {
    let text = """
      {
        "z": 1.0,
        "a": [
          1,
          -0.0,
          1e-06,
          1E+2,
          12345678901234567890,
          0.1000
        ],
        "empty": {},
        "none": [],
        "flags": [
          true,
          false,
          null
        ]
      }

      """
    var found = try document(text)
    #expect(found.text == text)
    #expect(try document(found.text.filter { !$0.isWhitespace }).text == text)
    found["a"] = .number(3)
    found["z"] = nil
    found["new"] = .string("x")
    found["absent"] = nil
    #expect(found.text.hasPrefix("{\n  \"a\": 3,\n  \"empty\": {}"))
    #expect(found.text.hasSuffix("\n  ],\n  \"new\": \"x\"\n}\n"))
    #expect(found["new"]?.string == "x" && found["z"] == nil)
  }

  @Test func stringsStayTheSame() throws {
    let names = ["", "\"", "\\", "/", "a\tb\nc\r", "\u{1}\u{1f}\u{7f}", "naïve 🐈‍⬛ שלום", "e\u{301}", "\u{2028}"]
    let written = JSONDocument.list(names.map { .string($0) }).text
    #expect(try JSONDecoder().decode([String].self, from: Data(written.utf8)) == names)
    #expect(try document(written) == .list(names.map { .string($0) }))
    #expect(try document(#"["\ud83d\ude00\u00e9\/"]"#) == .list([.string("😀é/")]))
  }

  @Test func theLastOfEqualKeysCounts() throws {
    #expect(try document(#"{"a": 1, "b": 2, "a": 3}"#).text == "{\n  \"a\": 3,\n  \"b\": 2\n}\n")
  }

  @Test(arguments: [
    "", "{", "{\"a\" 1}", "[1,]", "[1 2]", "nul", "01a", "{} {}", "NaN", "01", "-", "-01", "1.", ".5", "1.e3",
    "1e", "1e+", "+1", "--1", "1.2.3", "0x10", "1e5e5", "Infinity", "\"\u{1}\"",
  ])
  func nothingElseIsRead(_ text: String) { #expect(throws: JSONTextError.self) { try document(text) } }

  @Test func depthIsBounded() {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    func problem(_ text: [UInt8]) -> String? {
      do throws(JSONTextError) {
        _ = try JSONDocument(text)
        return nil
      } catch { return "\(error)" }
    }
    #expect(problem(nested(200)) == nil)
    #expect(problem(nested(201)) == "expected at most 200 levels, found \"[\" at byte 200 of the JSON text")
    #expect(problem(nested(1_000_000)) == problem(nested(201)))
    #expect(problem([0xff]) == "expected a JSON value, found byte 255 at byte 0 of the JSON text")
  }
}
