import Testing

@testable import Formats

@Suite struct JSONKeysTests {
  @Test(
    arguments: [
      ("{}", nil), ("[]", nil), ("3", nil), (#"{"a": 1, "b": {"a": 2}, "c": [{"a": 3}, {"a": 4}]}"#, nil),
      (#"{"a": 1, "b": 2, "a": 3}"#, "a"), (#"{"x": [{"y": "y", "z": {}, "y": ""}]}"#, "y"),
      (#"{"a": "b", "b": "a"}"#, nil), (#"{"a\\": 1, "a\"": 2, "a": 3, "a\"": 4}"#, #"a\""#),
      (#"{"a": ["b", "b"], "b": 1}"#, nil), (#"{"a": [1, {"b": 2}], "b": 1, "c": {"d": [], "d": 1}}"#, "d"),
      (#"{"": 1, "": 2}"#, ""), (#"{"a"#, nil), (#"{"a\"#, nil), ("}]", nil),
    ] as [(String, String?)]) func theFirstKeyGivenTwiceIsFound(_ text: String, _ key: String?)
  {
    #expect(JSON.repeatedKey(in: Array(text.utf8)) == key)
  }

  /// Marked are the bytes that strings have.
  @Test(
    arguments: [
      (#"{"a": "b"}"#, "  xx   xx "), (#""" 1"#, " x  "), (#"["\"",2]"#, "  xxx   "), (#"["\\",2]"#, "  xxx   "),
      (#"["\\\",3"#, "  xxxxxx"), ("3", " "),
    ]) func stringsAreToldFromTheRest(_ text: String, _ marks: String)
  {
    var strings = JSONStrings()
    #expect(String(text.utf8.map { strings.take($0) ? "x" : " " }) == marks)
  }

  /// What is in a string is no number.
  @Test func numbersOfStringsHaveNoLimit() throws {
    #expect(throws: Never.self) { try JSON.checkNumbers(#"{"1e99": ["\"1e99", 5, "1e99\\"]}"#.utf8, upTo: 9) }
    for text in [#"["\\", 1e99]"#, #"{"a\"": 10}"#, #"1e99"#] {
      let error = #expect(throws: JSONTextError.self) { try JSON.checkNumbers(text.utf8, upTo: 9) }
      #expect(error?.expected == "numbers of at most 9.0 in magnitude")
    }
  }
}
