import Formats
import Foundation
import Tensor
import Testing

@testable import Models

@Suite struct TokenizerFilesTests {
  private static let mergeLines = "#version: 0.2\n" + TinyVocabulary.merges.map { "\($0.0) \($0.1)\n" }.joined()

  private static func json(_ value: Any) throws -> Data { try JSONSerialization.data(withJSONObject: value) }

  private static func pair(
    _ vocabulary: Any = TinyVocabulary.vocabulary, _ merges: String = mergeLines
  ) throws -> [String: Data] {
    ["vocab.json": try json(vocabulary), "merges.txt": Data(merges.utf8)]
  }

  private static func single(_ merges: Any, type: String = "BPE", suffix: String = "</w>") throws -> [String: Any] {
    var vocabulary = TinyVocabulary.vocabulary
    vocabulary["<|endoftext|>"] = nil
    return [
      "model": ["type": type, "end_of_word_suffix": suffix, "vocab": vocabulary, "merges": merges],
      "added_tokens": [["id": 523, "content": "<|endoftext|>", "special": true]],
    ]
  }

  private func expectEqualToTiny(_ files: [String: Data]) throws {
    try TinyVocabulary.withFolder(files) { folder in
      let tokenizer = try Tokenizer.load(from: folder)
      let text = "The cat's low-cut aaaa 7 naïve"
      #expect(try tokenizer.encode([text]) == TinyVocabulary.tokenizer().encode([text]))
    }
  }

  private func expectError(_ files: [String: Data], _ message: String) throws {
    try TinyVocabulary.withFolder(files) { folder in
      let error = #expect(throws: TokenizerError.self) { try Tokenizer.load(from: folder) }
      let found = try #require(error).description.replacing(folder.lastPathComponent, with: "FOLDER")
      #expect(found.contains(message), "\(found)")
    }
  }

  /// A text that holds an added token would be cut into others.
  @Test func addedTokensAreRefused() throws {
    func files(_ added: [String: Int]) throws -> [String: Data] {
      try Self.pair().merging(["added_tokens.json": Self.json(added)]) { $1 }
    }
    try expectEqualToTiny(files(["<|endoftext|>": 523, "[PAD]": 524]))
    try expectError(
      files(["<dog>": 524]),
      "added_tokens.json: expected no tokens besides CLIP's own, as they are not supported, found \"<dog>\"")
    var single = try Self.single(TinyVocabulary.merges.map { "\($0.0) \($0.1)" })
    let own: [String: Any] = ["id": 523, "content": "<|endoftext|>", "special": true]
    single["added_tokens"] = [own, ["id": 524, "content": "<dog>", "special": false]]
    try expectError(["tokenizer.json": Self.json(single)], "tokenizer.json: expected no tokens besides CLIP's own")
  }

  @Test func vocabularyAndMergesLoad() throws {
    try expectEqualToTiny(Self.pair())
    try expectEqualToTiny(Self.pair(TinyVocabulary.vocabulary, Self.mergeLines.replacing("\n", with: "\r\n")))
    let headless = Self.mergeLines.replacing("#version: 0.2\n", with: "")
    try expectEqualToTiny(Self.pair(TinyVocabulary.vocabulary, headless + "\n\n"))
  }

  @Test func singleFileLoadsWithMergesInEitherForm() throws {
    let lines = TinyVocabulary.merges.map { "\($0.0) \($0.1)" }
    try expectEqualToTiny(["tokenizer.json": Self.json(Self.single(lines))])
    try expectEqualToTiny(["tokenizer.json": Self.json(Self.single(TinyVocabulary.merges.map { [$0.0, $0.1] }))])
    // Half a pair beside the single file does not matter.
    try expectEqualToTiny(["tokenizer.json": Self.json(Self.single(lines)), "vocab.json": Data("{".utf8)])
  }

  @Test(arguments: ["tokenizer_config.json", "special_tokens_map.json"]) func specialNamesAreRead(file: String) throws {
    var files = try Self.pair()
    files[file] = try Self.json(["bos_token": "cat</w>", "eos_token": ["content": "the</w>", "lstrip": false]])
    try TinyVocabulary.withFolder(files) { folder in
      let tokenizer = try Tokenizer.load(from: folder, cleaning: .huggingFace)
      #expect(tokenizer.startOfText == 513)
      #expect(tokenizer.endOfText == 515)
      #expect(tokenizer.cleaning == .huggingFace)
    }
    files[file] = try Self.json(["bos_token": "[CLS]"])
    try expectError(files, "vocab.json: expected start-of-text token \"[CLS]\", found no such token")
    files[file] = try Self.json(["bos_token": 7])
    try expectError(files, "\(file): expected JSON of a tokenizer, found")
  }

  @Test func absentFilesAreNamed() throws {
    try expectError(
      [:],
      "FOLDER: expected vocab.json and merges.txt, or tokenizer.json, or bpe_simple_vocab_16e6.txt.gz of CLIP's code "
        + "(https://github.com/openai/CLIP/tree/main/clip), found none of them")
    var files = try Self.pair()
    files["merges.txt"] = nil
    try expectError(files, "merges.txt: expected a readable file, found no such file")
    files = try Self.pair()
    files["vocab.json"] = nil
    try expectError(files, "vocab.json: expected a readable file, found no such file")
  }

  @Test func aFolderInPlaceOfAFileIsNamed() throws {
    try TinyVocabulary.withFolder([:]) { folder in
      let inner = folder.appendingPathComponent("tokenizer.json")
      try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: false)
      #expect(throws: TokenizerError.file(inner.path, expected: "a regular file", found: "a folder")) {
        try Tokenizer.load(from: folder)
      }
    }
  }

  @Test(arguments: [
    " ", "{", "[]", "{\"a\": \"b\"}", "{\"a\": 1.5}", "{\"a\": 1e99}", "{\"a\": null}", "null", "\u{0}",
    String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
  ]) func whatIsNoVocabularyIsNamed(text: String) throws {
    try expectError(
      ["vocab.json": Data(text.utf8), "merges.txt": Data()], "vocab.json: expected JSON of a tokenizer, found")
    try expectError(["tokenizer.json": Data(text.utf8)], "tokenizer.json: expected JSON of a tokenizer, found")
  }

  @Test(
    arguments: [
      ("x y", -1, "ids 0..<525, one per token, found id -1 of token \"x y\""),
      ("x y", Int.max, "ids 0..<525, one per token, found id \(Int.max) of token \"x y\""),
      ("x y", 525, "ids 0..<525, one per token, found id 525 of token \"x y\""),
      ("x y", 7, "one token per id, found id 7 for \"(\" and \"x y\""),
      ("<|startoftext|>", 0, "one token per id, found id 0 for \"!\" and \"<|startoftext|>\""),
      ("", 524, "tokens of one character or more, found \"\""),
    ])
  func idsThatContradictEachOtherAreNamed(token: String, id: Int, message: String) throws {
    var vocabulary = TinyVocabulary.vocabulary
    vocabulary[token] = id
    try expectError(Self.pair(vocabulary), "vocab.json: expected \(message)")
  }

  @Test func anAbsentByteIsNamed() throws {
    var vocabulary = TinyVocabulary.vocabulary
    vocabulary["zz"] = vocabulary.removeValue(forKey: "z</w>")
    try expectError(Self.pair(vocabulary), "vocab.json: expected byte \"z</w>\", found no such token")
  }

  @Test(arguments: [
    ("c\n", "merges.txt line 2: expected two tokens with a space between, found \"c\""),
    ("c a\n\nt h\n", "merges.txt line 3: expected two tokens with a space between, found \"\""),
    ("c a\nt  h\n", "merges.txt line 3: expected two tokens with a space between, found \"t  h\""),
    ("c a x\n", "merges.txt line 2: expected two tokens with a space between, found \"c a x\""),
    (" a\n", "merges.txt line 2: expected two tokens with a space between, found \" a\""),
    ("c a\nqq r\n", "merges.txt line 3: expected tokens of the vocabulary, found \"qq\""),
    ("c a\nc h\n", "merges.txt line 3: expected tokens of the vocabulary, found \"ch\""),
    ("c a\nt h\nc a\n", "merges.txt line 4: expected each pair once, found \"c a\" again"),
  ]) func malformedMergesAreNamedByLine(lines: String, message: String) throws {
    try expectError(Self.pair(TinyVocabulary.vocabulary, "#version: 0.2\n" + lines), message)
  }

  @Test func mergesThatAreNoTextAreNamed() throws {
    var files = try Self.pair()
    files["merges.txt"] = Data([0x23, 0xFF, 0xFE, 0x0A])
    try expectError(files, "merges.txt: expected UTF-8 text, found bytes that are not")
  }

  @Test func singleFilesOfOtherKindsAreNamed() throws {
    func files(_ value: [String: Any]) throws -> [String: Data] { ["tokenizer.json": try Self.json(value)] }
    try expectError(
      files(Self.single([], type: "WordPiece")), "tokenizer.json: expected model type \"BPE\", found \"WordPiece\"")
    try expectError(
      files(Self.single([], suffix: "@@")), "tokenizer.json: expected end_of_word_suffix \"</w>\", found \"@@\"")
    try expectError(
      files(Self.single(["c"])), "tokenizer.json: expected JSON of a tokenizer, found a merge of 1 tokens instead of 2"
    )
    try expectError(
      files(Self.single([["c", "a", "t"]])), "tokenizer.json: expected JSON of a tokenizer, found a merge of 3")
    try expectError(
      files(Self.single(["c a", "c qq"])), "tokenizer.json merge 2: expected tokens of the vocabulary, found \"qq\"")
    try expectError(
      files(["model": ["vocab": ["a": 0]]]), "tokenizer.json: expected JSON of a tokenizer, found no \"merges\"")
    var contradiction = try Self.single([])
    contradiction["added_tokens"] = [["id": 9, "content": "a"]]
    try expectError(files(contradiction), "tokenizer.json: expected id 64 for added token \"a\", found 9")
  }

  /// A gzip file (RFC 1952): the blocks of a zlib stream between another header and another checksum.
  private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    let checksum = bytes.withUnsafeBufferPointer { Checksum.crc32($0) }
    let blocks = Array(Deflate.zlib(bytes).dropFirst(2).dropLast(4))
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + blocks + word(checksum) + word(UInt32(bytes.count))
  }

  /// A list as long as the published one, of merges that no two bytes make twice.
  private static func publishedList(_ count: Int) -> String {
    let letters = ByteAlphabet.scalars.map(String.init)
    var lines = ["header"]
    for left in letters { for right in letters where lines.count <= count { lines.append("\(left) \(right)") } }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test func mergesOfCLIPsCodeLoadPackedAndUnpacked() throws {
    let list = Array(Self.publishedList(Tokenizer.publishedMergeCount).utf8)
    let wanted = try Tokenizer(publishedMerges: String(decoding: list, as: UTF8.self))
    for (name, bytes) in [
      ("bpe_simple_vocab_16e6.txt", list), ("bpe_simple_vocab_16e6.txt.gz", Self.gzip(list)),
    ] {
      try TinyVocabulary.withFolder([name: Data(bytes)]) { folder in
        let found = try Tokenizer.load(from: folder)
        #expect(found.tokenCount == 49408 && found.encode("cat 12") == wanted.encode("cat 12"))
      }
    }
    try expectError(
      ["bpe_simple_vocab_16e6.txt.gz": Data(list)], "bpe_simple_vocab_16e6.txt.gz: expected a gzip file, found ")
    try expectError(
      ["bpe_simple_vocab_16e6.txt": Data(Self.publishedList(1000).utf8)],
      "bpe_simple_vocab_16e6.txt: expected 48894 merges")
    try expectError(["vocab.json": Data()], "vocab.json: expected a file of a tokenizer, found an empty file")
  }

  @Test func aShortPublishedListIsNamed() {
    let error = TokenizerError.file("merge list", expected: "48894 merges after the header line", found: "10")
    #expect(throws: error) { try Tokenizer(publishedMerges: TinyVocabulary.mergeText) }
    #expect(throws: TokenizerError.file("merge list", expected: "11 merges after the header line", found: "10")) {
      try Tokenizer(publishedMerges: TinyVocabulary.mergeText, count: 11)
    }
    #expect(throws: TokenizerError.file("merge list", expected: "1 merges after the header line", found: "0")) {
      try Tokenizer(publishedMerges: "", count: 1)
    }
  }

  @Test func filesBeyondReasonAreLeftUnread() throws {
    try TinyVocabulary.withFolder(["tokenizer.json": Data()]) { folder in
      let url = folder.appendingPathComponent("tokenizer.json")
      let file = try FileHandle(forWritingTo: url)
      try file.truncate(atOffset: UInt64(16 << 20) + 1)
      try file.close()
      #expect(throws: TokenizerError.file(url.path, expected: "at most 16777216 bytes", found: "16777217")) {
        try Tokenizer.load(from: folder)
      }
    }
  }

  @Test(arguments: [0, 1, 4, 10]) func linesAfterTheCountAreLeftUnread(count: Int) throws {
    let text = TinyVocabulary.mergeText + "not a merge\n"
    #expect(try Tokenizer(publishedMerges: text, count: count).tokenCount == 514 + count)
  }

  @Test func twoMergesToOneTokenAreNamed() {
    let error = TokenizerError.file(
      "merge list", expected: "one merge per token", found: "\"abc\" as token 514 and 515")
    #expect(throws: error) { try Tokenizer(publishedMerges: "head\na b\nb c\nab c\na bc\n", count: 4) }
  }
}
