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
}
