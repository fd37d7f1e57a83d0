import Testing

@testable import Models

@Suite struct WordScannerTests {
  private let names = ["<|startoftext|>", "<|endoftext|>"]

  private func words(_ text: String, _ cleaning: TextCleaning = .published) -> [String] {
    Array(text.utf8).withUnsafeBufferPointer { bytes in
      var scanner = WordScanner(bytes, specials: names.map { Array($0.utf8) }, cleaning: cleaning)
      var words: [String] = []
      while let word = scanner.next() {
        switch word {
        case .special(let index): words.append("special \(index)")
        case .bytes(let range): words.append(String(decoding: bytes[range], as: UTF8.self))
        }
      }
      return words
    }
  }

  @Test(arguments: [
    ("", []), (" \u{A0}\u{3000}\u{85}", []), ("a photo of", ["a", "photo", "of"]), ("it's", ["it", "'s"]),
    (
      "we've they'll i'd i'm you're can't",
      ["we", "'ve", "they", "'ll", "i", "'d", "i", "'m", "you", "'re", "can", "'t"]
    ),
    ("'tis", ["'t", "is"]), ("'k", ["'", "k"]), ("''s", ["''", "s"]), ("!'s", ["!'", "s"]),
    ("2012", ["2", "0", "1", "2"]),
    ("a1b", ["a", "1", "b"]), ("ⅷ½²", ["ⅷ", "½", "²"]), ("日本語", ["日本語"]), ("é̈x", ["é", "̈", "x"]),
    ("a\u{345}b", ["a", "b"]),
    ("a-b_c", ["a", "-", "b", "_", "c"]), ("...?!", ["...?!"]), ("'ſ", ["'ſ"]), ("\u{1C}", ["\u{1C}"]),
    ("x<|startoftext|>y", ["x", "special 0", "y"]), ("<|endoftext|>", ["special 1"]),
    ("<|ſtartoftext|>", ["<|ſtartoftext|>"]),
    ("!<|endoftext|>", ["!<|", "endoftext", "|>"]), ("<|endoftext|", ["<|", "endoftext", "|"]), ("👩‍👧🇺🇸", ["👩‍👧🇺🇸"]),
  ]) func wordsOfThePublishedPattern(text: String, want: [String]) {
    #expect(words(text).elementsEqual(want) { Array($0.utf8) == Array($1.utf8) }, "\(words(text))")
  }

  @Test(arguments: [
    ("'ſ", ["'", "ſ"]), ("<|endoftext|>!", ["<|", "endoftext", "|>", "!"]), ("a\u{345}b", ["a", "\u{345}", "b"]),
    ("<|endoftext|><|endoftext|>", ["<|", "endoftext", "|>", "<|", "endoftext", "|>"]),
    ("!<|endoftext|>!", ["!<|", "endoftext", "|>!"]),
  ]) func wordsOfHuggingFacesPattern(text: String, want: [String]) {
    #expect(words(text, .huggingFace).elementsEqual(want) { Array($0.utf8) == Array($1.utf8) })
  }
}
