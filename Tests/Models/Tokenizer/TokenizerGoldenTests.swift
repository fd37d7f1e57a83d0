import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Token ids by the published tokenizer (ftfy 6.3.1) and by transformers 5.23, texts to ids.
@Suite(.golden(.tokenizer)) struct TokenizerGoldenTests {
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

  init() throws { tokenizer = try PublishedMerges.ofTheTest().tokenizer }

  private func goldens<T: Decodable>(_ type: T.Type, _ file: String) throws -> [T] {
    try JSONDecoder().decode([T].self, from: Data(contentsOf: GoldenSet.tokenizer.url(file)))
  }

  @Test func publishedVocabularyHas49408Tokens() {
    #expect(tokenizer.tokenCount == 49408)
    #expect(tokenizer.startOfText == 49406)
    #expect(tokenizer.endOfText == 49407)
  }

  @Test func publishedVocabularyLoadsFromAFolder() throws {
    let published = try PublishedMerges.ofTheTest().text
    let lines = published.split(separator: "\n").dropFirst().prefix(Tokenizer.publishedMergeCount)
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
    let item = try GoldenSet.tokenizer.golden("strings").fields
    #expect(goldens.count == item["count"].int)
    #expect(goldens.count { $0.ids.count > 75 } == item["longer_than_75"].int)
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
    #expect(try differing == GoldenSet.tokenizer.golden("strings").fields["differs_between_tokenizers"].int)
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
    let bytes = Array(try goldens(Golden.self, "strings.json").map(\.text).joined().utf8)
    let lengths = [1, 2, 3, 5, 64, 65, 127, 1009]
    try #require(bytes.count > 1009)
    for length in lengths {
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
@Suite(.golden(.clip)) struct TokenizerFolderGoldenTests {
  struct Golden: Decodable {
    let texts: [String]
    let ids: [[Int32]]

    private enum CodingKeys: String, CodingKey {
      case texts
      case ids = "input_ids"
    }
  }

  @Test(arguments: TextCleaning.allCases) func rowsEqualHuggingFaces(cleaning: TextCleaning) throws {
    let args = try GoldenSet.clip.golden("hf-tiny-forward").args
    let folder = try GoldenSet.clip.url(#require(args["directory"].string))
    let tokenizer = try Tokenizer.load(from: folder, cleaning: cleaning)
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: GoldenSet.clip.url("hf-tiny-texts.json")))
    let text = args["text"]
    let context = try #require(text["max_position_embeddings"].int)
    try #require(context >= 2)
    #expect(try tokenizer.encode(golden.texts, contextLength: context, padding: .endOfText) == golden.ids)
    #expect(tokenizer.tokenCount == text["vocab_size"].int)
    #expect(text["bos_token_id"].int == Int(tokenizer.startOfText))
    #expect(text["eos_token_id"].int == Int(tokenizer.endOfText))
  }
}

/// The published merge list of a root, unpacked once.
struct PublishedMerges {
  let text: String
  let tokenizer: Tokenizer

  private static let all = Dictionary(
    uniqueKeysWithValues: GoldenRoot.all.map { root in (root, Result { try PublishedMerges(root) }) })

  static func ofTheTest() throws -> PublishedMerges { try #require(all[.ofTheTest]).get() }

  private init(_ root: GoldenRoot) throws {
    // Only the tests need the packed list, so they leave unpacking to the system's gzip.
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/gzip")
    process.arguments = ["-dc", GoldenSet.tokenizer.publishedMerges(in: root).path]
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    text = String(decoding: data, as: UTF8.self)
    tokenizer = try Tokenizer(publishedMerges: text)
  }
}
