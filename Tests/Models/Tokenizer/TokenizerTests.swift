import Foundation
import Testing

@testable import Models

@Suite struct TokenizerTests {
  private let tokenizer: Tokenizer
  private let firstMerge: Int32 = 512
  /// Bytes of printable ASCII: ids count from `!`, 256 more at the end of a word.
  private func inner(_ character: Character) -> Int32 { Int32(character.asciiValue ?? 0) - 33 }
  private func final(_ character: Character) -> Int32 { inner(character) + 256 }

  init() throws { tokenizer = try TinyVocabulary.tokenizer() }

  @Test func specialTokensAreTheLastTwo() {
    #expect(tokenizer.tokenCount == 512 + TinyVocabulary.merges.count + 2)
    #expect(tokenizer.startOfText == 522)
    #expect(tokenizer.endOfText == 523)
  }

  @Test func mergesJoinByRankAndWordsEndApart() {
    #expect(tokenizer.encode("cat") == [firstMerge + 1])
    #expect(tokenizer.encode("cats") == [firstMerge, inner("t"), final("s")])
    #expect(tokenizer.encode("the cat") == [firstMerge + 3, firstMerge + 1])
    #expect(tokenizer.encode("The CAT's low") == [firstMerge + 3, firstMerge + 1, firstMerge + 7, firstMerge + 9])
    #expect(tokenizer.encode("c a t") == [final("c"), final("a"), final("t")])
  }

  @Test func digitsStandAlone() { #expect(tokenizer.encode("42") == [final("4"), final("2")]) }

  @Test func bytesOfOtherScriptsAreTokens() {
    // é is C3 A9: the stand-ins Ã and © are at 163 − 1 − 32 and so on in the alphabet's order.
    let order = ByteAlphabet.order
    let ids = [UInt8(0xC3), 0xA9].compactMap { order.firstIndex(of: $0).map { Int32($0) } }
    #expect(tokenizer.encode("é") == [ids[0], ids[1] + 256])
  }

  @Test(arguments: ["", " ", "\n\t ", "\u{A0}", "\u{0}\u{7}", "\u{FEFF}"]) func nothingToSayIsNoToken(text: String) {
    #expect(tokenizer.encode(text) == [])
    #expect(tokenizer.decode([]) == "")
  }

  @Test func specialNamesAreOneTokenInEitherCase() throws {
    #expect(tokenizer.encode("a<|endoftext|>") == [final("a"), 523])
    #expect(tokenizer.encode("<|STARTOFTEXT|>") == [522])
    // A run of signs swallows the name, as the pattern tries places from left to right.
    #expect(!tokenizer.encode("!<|endoftext|>").contains(523))
    let other = try TinyVocabulary.tokenizer(.huggingFace)
    #expect(other.encode("!<|endoftext|>a") == [final("!"), 523, final("a")])
    #expect(!other.encode("<|STARTOFTEXT|>").contains(522))
  }

  @Test func decodingReturnsPrintableASCII() {
    let text = "the cat's low , & 4 2 ; a < b > ~ { x }"
    #expect(
      tokenizer.decode(tokenizer.encode(text.replacing("& ", with: ""))) == "the cat 's low , 4 2 ; a < b > ~ { x } ")
  }

  @Test(arguments: TextCleaning.allCases) func everyWordOfAnyScriptComesBack(cleaning: TextCleaning) throws {
    let tokenizer = try TinyVocabulary.tokenizer(cleaning)
    for word in ["straße", "привет", "日本語", "👩‍👩‍👧", "🇺🇸", "สวัสดี", "ȫ", "𝔘", "़"] {
      let decoded = tokenizer.decode(tokenizer.encode(word))
      // Emoji sequences and vowel signs are cut into words: only the spaces may be new.
      #expect(decoded.unicodeScalars.filter { $0 != " " }.elementsEqual(word.unicodeScalars), "\(word)")
    }
  }

  @Test func brokenUTF8DecodesAsReplacementCharacters() {
    let lead = Int32(ByteAlphabet.order.firstIndex(of: 0xE2) ?? 0)
    #expect(tokenizer.decode([lead, final("a")]) == "\u{FFFD}a ")
    #expect(tokenizer.decode([-1, 524, .max, .min]) == "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}")
  }

  @Test func rowsStartEndAndPad() throws {
    let rows = try tokenizer.encode(["cat", ""], contextLength: 5)
    #expect(rows == [[522, 513, 523, 0, 0], [522, 523, 0, 0, 0]])
    #expect(try tokenizer.encode(["cat"], contextLength: 5, padding: .endOfText) == [[522, 513, 523, 523, 523]])
    #expect(try tokenizer.encode(["cat"], contextLength: 3) == [[522, 513, 523]])
    #expect(try tokenizer.encode([], contextLength: 3) == [])
  }

  @Test func truncationKeepsTheFrontAndEnds() throws {
    let text = "cat cat cat cat"
    #expect(try tokenizer.encode([text], contextLength: 4, truncate: true) == [[522, 513, 513, 523]])
    #expect(try tokenizer.encode([text], contextLength: 2, truncate: true) == [[522, 523]])
    #expect(try tokenizer.encode([text], contextLength: 1, truncate: true) == [[523]])
    let error = TokenizerError.textTooLong(text, count: 6, limit: 5)
    #expect(throws: error) { try tokenizer.encode(["cat", text], contextLength: 5) }
    #expect(
      error.description
        == "text \"cat cat cat cat\": expected at most 5 tokens with start and end, "
        + "found 6 (shorten it or allow truncation)"
    )
  }

  @Test func aMillionLettersAreNoTrouble() {
    // a aa aa … in one word: merged by rank, "aaaa" first among equals of the doubled pair.
    let ids = tokenizer.encode(String(repeating: "a", count: 1_000_000))
    #expect(tokenizer.decode(ids).utf8.count == 1_000_001)
    #expect(ids.count < 500_000)
    #expect(tokenizer.encode(String(repeating: "cat ", count: 100_000)).count == 100_000)
  }

  @Test func layersWithoutEndAreNoTrouble() {
    let layers = "&" + String(repeating: "amp;", count: 100_000) + "lt;"
    #expect(tokenizer.encode(layers).count > 100_000)
    #expect(tokenizer.encode(String(repeating: "Ã¢", count: 100_000)).count > 0)
    #expect(tokenizer.encode(String(repeating: "Σ\u{301}", count: 100_000)).count > 0)
    #expect(tokenizer.encode(String(repeating: "Σ\u{AD}", count: 30_000)).count > 0)
    #expect(tokenizer.encode(String(repeating: "\u{1B}[1;", count: 100_000)).count > 0)
    #expect(tokenizer.encode("a" + String(repeating: "\u{301}\u{323}", count: 30_000)).count > 0)
  }
}
