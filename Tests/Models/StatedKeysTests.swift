import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import Models

/// Configuration files as keys that are read, refused or named.
@Suite struct StatedKeysTests {
  private func keys(_ bytes: [UInt8]) throws -> StatedKeys {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("config.json")
    try Data(bytes).write(to: url)
    return try StatedKeys(contentsOf: url)
  }

  private func keys(_ text: String) throws -> StatedKeys { try keys(Array(text.utf8)) }

  @Test func valuesAreThoseOfTheText() throws {
    let text = #"{"a": 1e-06, "b": [true, null, -2.50], "c": {"d": "é\n", "e": []}, "f": null, "g": false}"#
    let found = try keys(text)
    #expect(found.value("a") == .number(1e-6) && found.value("f") == nil && found.value("g") == false)
    #expect(found.value("b") == .list([true, .null, .number(-2.5)]))
    #expect(found.value("c") == .object(["d": "é\n", "e": .list([])]))
    #expect(found.value("b")?.description == "[true, null, -2.5]")
    #expect(found.value("c")?.description == "{\"d\": \"é\\x0A\", \"e\": []}" && found.keys == ["a", "b", "c", "g"])
  }

  @Test func aByteOrderMarkIsSkipped() throws {
    #expect(try keys([0xEF, 0xBB, 0xBF] + Array(#"{"a": 7}"#.utf8)).value("a") == 7)
  }

  @Test(arguments: [
    "[]", "1", "{", "{\"a\": 1e999}", "{\"a\": [0, -1e400]}", "{\"a\": NaN}", "{\"a\": 01}", "{\"a\": 1,}",
  ])
  func otherTextsAreRefused(_ text: String) {
    let error = #expect(throws: ConfigurationError.self) { try keys(text) }
    #expect(error?.description.contains("config.json: expected ") == true)
  }

  @Test func equalKeysAreRefused() {
    let error = #expect(throws: ConfigurationError.self) { try keys(#"{"a": 1, "b": {"c": 1, "c": 1}}"#) }
    #expect(error?.description.hasSuffix("expected each key once, found \"c\" again") == true)
  }

  /// A file of 1,700 bytes with lists in lists took a second of the processor, one of 10 MB hours (found by fuzzing).
  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      "{\"a\": " + String(repeating: "[", count: depth) + "8" + String(repeating: "]", count: depth) + "}"
    }
    #expect(throws: ConfigurationError.self) { try keys(nested(500)) }
    let found = try keys(nested(150))
    #expect(found.value("a")?.description.count == 301)
    // 800 lists of 150 in one another: read in the time of their bytes.
    let many =
      "{\"a\": [" + Array(repeating: nested(150).dropFirst(6).dropLast(), count: 800).joined(separator: ",") + "]}"
    #expect(try keys(many).has("a"))
  }

  /// A tree of values takes hundreds of bytes for one of the file: 3.6 MB of them took 1.2 GB.
  @Test func memoryStaysWithinTheBudget() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let element = ["0", "\"sixteen letters…\"", "[]", "{}", "[0]", "{\"a\":0}", "{\"a\":{\"b\":[]}}"]
      for text in element {
        let count = (JSON.mostMarks - 10) / (1 + text.count { "[{:".contains($0) })
        let bytes = Array("{\"a\": [\(Array(repeating: text, count: count).joined(separator: ","))]}".utf8)
        let file = try folder.write(bytes, to: "config.json")
        let peak = PeakMemory.during { #expect((try? StatedKeys(contentsOf: file))?.keys == ["a"]) }
        print("\(text): \(bytes.count) bytes, peak \(peak / 1_000_000) MB")
        #expect(peak <= 64_000_000 + 4 * bytes.count, "\(text)")
      }
    }
  }

  @Test func theNumberOfValuesIsBounded() throws {
    // An opening brace, a colon and an opening bracket come before the commas.
    func text(_ values: Int) -> String {
      #"{"a,:[{": ["# + Array(repeating: "0", count: values).joined(separator: ",") + "]}"
    }
    #expect(try keys(text(JSON.mostMarks - 2)).has("a,:[{"))
    let error = #expect(throws: ConfigurationError.self) { try keys(text(JSON.mostMarks - 1)) }
    #expect(
      error?.description.hasSuffix(
        "config.json: expected at most 131072 commas, colons and brackets of a configuration, found 131073") == true)
    #expect(try keys("{\"a\\\"\": \"[[[,,,\"}").keys == ["a\""])
  }

  @Test func theFirstOfManyUnknownKeysAreNamed() throws {
    let text = (100..<150).map { "\"k\($0)\": 0" }.joined(separator: ",")
    let found = try keys("{\(text), \"s\": {\"a\": 0}}")
    _ = try found.section("s")
    _ = found.value("k100")
    #expect(found.unknown.count == 21 && found.unknown[0].hasSuffix("config.json: k101: unknown key, ignored"))
    #expect(found.unknown[19].hasSuffix(": k120: unknown key, ignored"))
    #expect(found.unknown[20].hasSuffix("config.json: 30 more unknown keys, ignored"))
  }

  @Test func keysStayOnTheirLine() throws {
    let found = try keys("{\"a\\nb\": 0}")
    #expect(found.unknown[0].hasSuffix("config.json: a\\x0Ab: unknown key, ignored"))
    #expect(found.error("a\nb", "1").description.hasSuffix("a\\x0Ab: expected 1, found 0"))
    #expect(found.name(of: "a\nb") == "config.json: a\\x0Ab")
  }

  @Test func longValuesAreCutInMessages() throws {
    let list = Array(repeating: "12", count: 100_000).joined(separator: ",")
    let error = try keys("{\"a\": [\(list)]}").error("a", "one size")
    #expect(error.description.contains("a: expected one size, found [12, 12, ") && error.description.hasSuffix("12,…"))
    #expect(error.description.utf8.count < 600)
    #expect(try keys("{\"a\": [1, 2]}").error("a", "one size").description.hasSuffix("found [1, 2]"))
  }
}
