import Foundation

extension Tokenizer {
  /// The number of merges of the published list that the published vocabulary uses: 49,152 − 256 − 2.
  public static let publishedMergeCount = 48_894

  /// The tokenizer of a model folder as Hugging Face writes it.
  ///
  /// Reads `vocab.json` and `merges.txt`, or else `tokenizer.json`; names of the start and end tokens from
  /// `tokenizer_config.json` or `special_tokens_map.json` where they are given.
  ///
  /// - Throws: `TokenizerError.file` naming the file, and in a merge list the line.
  public static func load(
    from directory: URL, cleaning: TextCleaning = .published
  ) throws(TokenizerError) -> Tokenizer {
    let (start, end) = try specialNames(in: directory)
    let vocabularyURL = directory.appendingPathComponent("vocab.json")
    let mergesURL = directory.appendingPathComponent("merges.txt")
    let singleURL = directory.appendingPathComponent("tokenizer.json")
    let hasPair = TokenizerFile.exists(vocabularyURL) || TokenizerFile.exists(mergesURL)
    guard hasPair || TokenizerFile.exists(singleURL) else {
      throw .file(
        directory.lastPathComponent, expected: "vocab.json and merges.txt, or tokenizer.json", found: "none of them")
    }
    // One file of the pair without the other is a broken copy, unless the single file makes up for it.
    let isPairWhole = TokenizerFile.exists(vocabularyURL) && TokenizerFile.exists(mergesURL)
    if hasPair && (isPairWhole || !TokenizerFile.exists(singleURL)) {
      let vocabulary = try TokenizerFile.json([String: Int].self, vocabularyURL)
      let list = try MergeList(TokenizerFile.text(mergesURL), name: "merges.txt")
      return try Tokenizer(
        vocabulary: vocabulary, merges: list.merges, startOfText: start, endOfText: end, cleaning: cleaning,
        names: ("vocab.json", { "merges.txt line \(list.firstLine + $0)" }))
    }
    let file = try TokenizerFile.json(SingleFile.self, singleURL)
    if let type = file.model.type, type != "BPE" {
      throw .file("tokenizer.json", expected: "model type \"BPE\"", found: "\"\(type)\"")
    }
    if let suffix = file.model.endOfWordSuffix, suffix != wordEnd {
      throw .file("tokenizer.json", expected: "end_of_word_suffix \"\(wordEnd)\"", found: "\"\(suffix)\"")
    }
    var vocabulary = file.model.vocab
    for token in file.addedTokens ?? [] {
      if let id = vocabulary[token.content], id != token.id {
        throw .file("tokenizer.json", expected: "id \(id) for added token \"\(token.content)\"", found: "\(token.id)")
      }
      vocabulary[token.content] = token.id
    }
    return try Tokenizer(
      vocabulary: vocabulary, merges: file.model.merges.map { ($0.left, $0.right) }, startOfText: start, endOfText: end,
      cleaning: cleaning, names: ("tokenizer.json", { "tokenizer.json merge \($0 + 1)" }))
  }

  /// The tokenizer of a merge list as published beside CLIP's code (`bpe_simple_vocab_16e6.txt`, unpacked).
  ///
  /// Ids: the 256 bytes in the order of `ByteAlphabet`, the same with `</w>`, one a merge, start and end of text.
  ///
  /// - Parameters:
  ///   - text: a head line, then one merge a line, best first.
  ///   - count: how many merges are used; the published list is longer than the published vocabulary.
  /// - Throws: `TokenizerError.file` naming the line.
  public init(
    publishedMerges text: String, count: Int = Tokenizer.publishedMergeCount, cleaning: TextCleaning = .published
  ) throws(TokenizerError) {
    let name = "merge list"
    let list = try MergeList(text, name: name, hasHead: true, limit: count)
    guard list.merges.count == count else {
      throw .file(name, expected: "\(count) merges after the head line", found: "\(list.merges.count)")
    }
    let bytes = ByteAlphabet.order.map { String(ByteAlphabet.scalars[Int($0)]) }
    let special = ["<|startoftext|>", "<|endoftext|>"]
    let tokens = bytes + bytes.map { $0 + Self.wordEnd } + list.merges.map { $0.0 + $0.1 } + special
    var vocabulary: [String: Int] = [:]
    vocabulary.reserveCapacity(tokens.count)
    for (id, token) in tokens.enumerated() {
      if let first = vocabulary.updateValue(id, forKey: token) {
        throw .file(name, expected: "one merge a token", found: "\"\(token)\" as token \(first) and \(id)")
      }
    }
    try self.init(
      vocabulary: vocabulary, merges: list.merges, startOfText: special[0], endOfText: special[1], cleaning: cleaning,
      names: (name, { "\(name) line \(list.firstLine + $0)" }))
  }

  private static func specialNames(in directory: URL) throws(TokenizerError) -> (start: String, end: String) {
    var start: String?
    var end: String?
    for name in ["tokenizer_config.json", "special_tokens_map.json"] {
      let url = directory.appendingPathComponent(name)
      guard TokenizerFile.exists(url) else { continue }
      let names = try TokenizerFile.json(SpecialNames.self, url)
      start = start ?? names.start?.content
      end = end ?? names.end?.content
    }
    return (start ?? "<|startoftext|>", end ?? "<|endoftext|>")
  }
}

/// Pairs of tokens, one a line, best first.
struct MergeList {
  let merges: [(String, String)]
  /// The number of the line that holds the first merge, from 1.
  let firstLine: Int

  /// - Parameters:
  ///   - hasHead: whether the first line is a head whatever it says; else only if it starts with `#version`.
  ///   - limit: lines after so many merges are left unread.
  init(_ text: String, name: String, hasHead: Bool = false, limit: Int = Tokenizer.countLimit + 1)
    throws(TokenizerError)
  {
    var lines = text.utf8.split(
      separator: UInt8(ascii: "\n"), maxSplits: max(limit, 0) + 1, omittingEmptySubsequences: false)
    // What follows the last line of interest is one long piece.
    if lines.count == limit + 2 { lines.removeLast() }
    while let last = lines.last, last.isEmpty || last.elementsEqual("\r".utf8) { lines.removeLast() }
    let isHeaded = hasHead || lines.first.map { $0.starts(with: "#version".utf8) } ?? false
    firstLine = isHeaded ? 2 : 1
    var merges: [(String, String)] = []
    merges.reserveCapacity(lines.count)
    for (index, line) in lines.dropFirst(firstLine - 1).enumerated().prefix(limit) {
      let bare = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      let parts = bare.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw .file(
          "\(name) line \(firstLine + index)", expected: "two tokens with a space between",
          found: "\"\(String(Substring(bare)).prefix(60))\"")
      }
      merges.append((String(Substring(parts[0])), String(Substring(parts[1]))))
    }
    self.merges = merges
  }
}

/// Reading of the small files beside a model.
private enum TokenizerFile {
  /// Published ones have 4 MB at most.
  static let byteLimit = 64 << 20

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  static func data(_ url: URL) throws(TokenizerError) -> Data {
    let name = url.lastPathComponent
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path) else {
      throw .file(name, expected: "a file", found: "none")
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular else {
      throw .file(name, expected: "a regular file", found: "something else")
    }
    let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
    guard size <= byteLimit else { throw .file(name, expected: "at most \(byteLimit) bytes", found: "\(size)") }
    do { return try Data(contentsOf: url) } catch {
      throw .file(name, expected: "a readable file", found: error.localizedDescription)
    }
  }

  static func text(_ url: URL) throws(TokenizerError) -> String {
    guard let text = String(validating: try data(url), as: UTF8.self) else {
      throw .file(url.lastPathComponent, expected: "UTF-8 text", found: "bytes that are not")
    }
    return text
  }

  static func json<T: Decodable>(_ type: T.Type, _ url: URL) throws(TokenizerError) -> T {
    let data = try data(url)
    do { return try JSONDecoder().decode(type, from: data) } catch {
      throw .file(url.lastPathComponent, expected: "JSON of a tokenizer", found: Self.reason(error))
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty ? "the top level" : path.map(\.stringValue).joined(separator: ".")
    }
    return switch error {
    case .typeMismatch(let type, let context): "no \(type) at \(place(context.codingPath))"
    case .valueNotFound(let type, let context): "null in place of \(type) at \(place(context.codingPath))"
    case .keyNotFound(let key, let context): "no \"\(key.stringValue)\" at \(place(context.codingPath))"
    case .dataCorrupted(let context): "\(context.debugDescription) (at \(place(context.codingPath)))"
    @unknown default: "\(error)"
    }
  }
}

/// `tokenizer_config.json`, `special_tokens_map.json`: a name, or an object with the name as `content`.
private struct SpecialNames: Decodable {
  struct Name: Decodable {
    let content: String

    private enum CodingKeys: CodingKey { case content }

    init(from decoder: any Decoder) throws {
      if let name = try? decoder.singleValueContainer().decode(String.self) {
        content = name
      } else {
        content = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .content)
      }
    }
  }

  let start: Name?
  let end: Name?

  private enum CodingKeys: String, CodingKey {
    case start = "bos_token"
    case end = "eos_token"
  }
}

/// `tokenizer.json`: the parts that make a byte-pair tokenizer.
private struct SingleFile: Decodable {
  struct Model: Decodable {
    let type: String?
    let vocab: [String: Int]
    let merges: [Merge]
    let endOfWordSuffix: String?

    private enum CodingKeys: String, CodingKey {
      case type, vocab, merges
      case endOfWordSuffix = "end_of_word_suffix"
    }
  }

  /// Written as "a b", in newer files as ["a", "b"].
  struct Merge: Decodable {
    let left: String
    let right: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let parts: [String]
      if let line = try? container.decode(String.self) {
        parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      } else {
        parts = try container.decode([String].self)
      }
      guard parts.count == 2 else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "a merge of \(parts.count) tokens in place of 2")
      }
      (left, right) = (parts[0], parts[1])
    }
  }

  struct AddedToken: Decodable {
    let id: Int
    let content: String
  }

  let model: Model
  let addedTokens: [AddedToken]?

  private enum CodingKeys: String, CodingKey {
    case model
    case addedTokens = "added_tokens"
  }
}
