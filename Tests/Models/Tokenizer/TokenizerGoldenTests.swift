import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Token ids by the published tokenizer (ftfy 6.3.1) and by transformers 5.23, texts to ids.
@Suite(
  .enabled(
    if: Fixtures.has("tokenizer") && Fixtures.has(PublishedMerges.path),
    "golden files of tokenizer are absent: set FRUGAL_FIXTURES"))
struct TokenizerGoldenTests {
  struct Golden: Decodable {
    let text: String
    let ids: [Int32]
    let hf: [Int32]?
    let cleaned: String?
    let decoded: String?
  }

  struct PaddedGolden: Decodable {
    let text: String
    let contextLength: Int
    let truncated: Bool
    let ids: [Int32]

    private enum CodingKeys: String, CodingKey {
      case text, truncated
      case contextLength = "context_length"
      case ids = "padded_ids_zero"
    }
  }

  private let tokenizer: Tokenizer

  init() throws { tokenizer = try PublishedMerges.tokenizer.get() }

  private func goldens<T: Decodable>(_ type: T.Type, _ file: String) throws -> [T] {
    try JSONDecoder().decode([T].self, from: Data(contentsOf: Fixtures.url("tokenizer/\(file)")))
  }

  @Test func publishedVocabularyHas49408Tokens() {
    #expect(tokenizer.tokenCount == 49408)
    #expect(tokenizer.startOfText == 49406)
    #expect(tokenizer.endOfText == 49407)
  }

  @Test func publishedVocabularyLoadsFromAFolder() throws {
    let lines = try PublishedMerges.text.get().split(separator: "\n").dropFirst().prefix(Tokenizer.publishedMergeCount)
    let bytes = ByteAlphabet.order.map { String(ByteAlphabet.scalars[Int($0)]) }
    var tokens = bytes + bytes.map { $0 + "</w>" }
    tokens += lines.map { String($0).replacing(" ", with: "") }
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    let vocabulary = try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: zip(tokens, 0...)))
    let merges = Data(("#version: 0.2\n" + lines.joined(separator: "\n") + "\n").utf8)
    try TinyVocabulary.withFolder(["vocab.json": vocabulary, "merges.txt": merges]) { folder in
      let loaded = try Tokenizer.load(from: folder)
      #expect(loaded.tokenCount == 49408)
      for golden in try goldens(Golden.self, "strings.json") { #expect(loaded.encode(golden.text) == golden.ids) }
    }
  }

  @Test func idsEqualThePublishedTokenizers() throws {
    let goldens = try goldens(Golden.self, "strings.json")
    #expect(goldens.count == 1500)
    for golden in goldens {
      #expect(tokenizer.encode(golden.text) == golden.ids, "\(golden.text.debugDescription)")
    }
  }

  @Test func idsEqualHuggingFaces() throws {
    var tokenizer = tokenizer
    tokenizer.cleaning = .huggingFace
    var differing = 0
    for golden in try goldens(Golden.self, "strings.json") {
      #expect(tokenizer.encode(golden.text) == golden.hf ?? golden.ids, "\(golden.text.debugDescription)")
      differing += golden.hf == nil ? 0 : 1
    }
    #expect(differing == 80)
  }

  @Test func cleanedTextEqualsThePublishedTokenizers() throws {
    for golden in try goldens(Golden.self, "strings.json") {
      guard let cleaned = golden.cleaned else { continue }
      let found = TextCleaning.published.cleaned(golden.text)
      #expect(Array(found.unicodeScalars) == Array(cleaned.unicodeScalars), "\(golden.text.debugDescription)")
    }
  }

  @Test func decodedTextEqualsThePublishedTokenizers() throws {
    for golden in try goldens(Golden.self, "strings.json") {
      guard let decoded = golden.decoded else { continue }
      let found = tokenizer.decode(golden.ids)
      #expect(Array(found.unicodeScalars) == Array(decoded.unicodeScalars), "\(golden.text.debugDescription)")
    }
  }

  @Test func paddedRowsEqualThePublishedTokenizers() throws {
    for golden in try goldens(PaddedGolden.self, "padded.json") {
      let row = try tokenizer.encode([golden.text], contextLength: golden.contextLength, truncate: golden.truncated)
      #expect(row == [golden.ids], "\(golden.text.debugDescription)")
      guard golden.truncated else { continue }
      let count = tokenizer.encode(golden.text).count + 2
      #expect(throws: TokenizerError.textTooLong(golden.text, count: count, limit: golden.contextLength)) {
        try tokenizer.encode([golden.text], contextLength: golden.contextLength)
      }
    }
  }

  @Test func mergingInRoundsAndByQueueAgree() throws {
    let text = try goldens(Golden.self, "strings.json").map(\.text).joined()
    #expect(text.count > 20_000)
    let bytes = Array(text.utf8)
    for length in [1, 2, 3, 5, 64, 65, 127, 1009] {
      for start in stride(from: 0, to: bytes.count - length, by: 997) {
        var rounds = bytes[start..<(start + length)].map { tokenizer.innerBytes[Int($0)] }
        var queue = rounds
        tokenizer.merges.mergeInRounds(&rounds)
        tokenizer.merges.mergeWithQueue(&queue)
        #expect(rounds == queue, "bytes \(start)..<\(start + length)")
      }
    }
  }
}

/// A folder that transformers wrote: tiny vocabulary, padded with the end-of-text id.
@Suite(.enabled(if: Fixtures.has("clip"), "golden files of clip are absent: set FRUGAL_FIXTURES"))
struct TokenizerFolderGoldenTests {
  struct Golden: Decodable {
    let texts: [String]
    let ids: [[Int32]]

    private enum CodingKeys: String, CodingKey {
      case texts
      case ids = "input_ids"
    }
  }

  @Test(arguments: TextCleaning.allCases) func rowsEqualHuggingFaces(cleaning: TextCleaning) throws {
    let tokenizer = try Tokenizer.load(from: Fixtures.url("clip/hf-tiny"), cleaning: cleaning)
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: Fixtures.url("clip/hf-tiny-texts.json")))
    #expect(try tokenizer.encode(golden.texts, contextLength: 32, padding: .endOfText) == golden.ids)
  }
}

/// The published merge list, unpacked once.
enum PublishedMerges {
  static let path = "../data/bpe_simple_vocab_16e6.txt.gz"

  static let text = Result {
    // Only the tests need the packed list, so they leave unpacking to the system's gzip.
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/gzip")
    process.arguments = ["-dc", Fixtures.url(path).path]
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  static let tokenizer = Result { try Tokenizer(publishedMerges: text.get()) }
}
