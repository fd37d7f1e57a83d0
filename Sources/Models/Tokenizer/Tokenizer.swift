/// CLIP's tokenizer: byte-level byte-pair encoding of lower-cased words, each ended by `</w>` (Radford et al. 2021, 2.4;
/// vocabulary of 49,408 tokens: 512 bytes, 48,894 merges, start and end of text).
///
/// Token ids equal those of the published tokenizer, or of Hugging Face's with `TextCleaning.huggingFace`.
public struct Tokenizer: Sendable {
  /// What fills a row after the end-of-text token.
  public enum Padding: Sendable {
    /// Id 0, as the published tokenizer.
    case zero
    /// The end-of-text id, as Hugging Face's.
    case endOfText
  }

  /// How texts are cleaned before they are cut into tokens.
  public var cleaning: TextCleaning
  /// The id that opens every row.
  public let startOfText: Int32
  /// The id that closes every row; in the published vocabulary the largest of all.
  public let endOfText: Int32
  /// The number of token ids: they are 0..<tokenCount.
  public var tokenCount: Int { offsets.count - 1 }

  let merges: BytePairMerges
  /// Ids of each byte inside a word, and as its last byte.
  let innerBytes: [Int32]
  private let finalBytes: [Int32]
  /// The bytes that token `i` stands for: `storage[offsets[i]..<offsets[i + 1]]`.
  private let storage: [UInt8]
  private let offsets: [Int]
  private let specials: [(name: [UInt8], id: Int32)]

  static let wordEnd = "</w>"
  /// Far above any published vocabulary; keeps a hostile file from asking for more.
  static let countLimit = 1 << 20

  /// A tokenizer of the given vocabulary.
  ///
  /// - Parameters:
  ///   - vocabulary: ids of the tokens, 0..<count without hole; holds each byte's stand-in with and without `</w>`.
  ///   - merges: pairs of tokens in order of rank.
  ///   - startOfText, endOfText: names of the special tokens.
  /// - Throws: `TokenizerError.file` where ids or merges contradict each other.
  public init(
    vocabulary: [String: Int], merges: [(String, String)], startOfText: String = "<|startoftext|>",
    endOfText: String = "<|endoftext|>", cleaning: TextCleaning = .published
  ) throws(TokenizerError) {
    try self.init(
      vocabulary: vocabulary, merges: merges, startOfText: startOfText, endOfText: endOfText, cleaning: cleaning,
      names: ("vocabulary", { "merge \($0 + 1)" }))
  }

  /// As above; `names` say in errors where the vocabulary and the merge of some rank come from.
  init(
    vocabulary: [String: Int], merges: [(String, String)], startOfText: String, endOfText: String,
    cleaning: TextCleaning, names: (vocabulary: String, merge: (Int) -> String)
  ) throws(TokenizerError) {
    let ids = try Self.checkedIds(vocabulary, names.vocabulary)
    var tokens = [String](repeating: "", count: ids.count)
    for (token, id) in ids { tokens[Int(id)] = token }

    func id(_ token: String, _ role: String) throws(TokenizerError) -> Int32 {
      if let id = ids[token] { return id }
      throw .file(names.vocabulary, expected: "\(role) \"\(token)\"", found: "no such token")
    }
    self.startOfText = try id(startOfText, "start-of-text token")
    self.endOfText = try id(endOfText, "end-of-text token")
    specials = [(Array(startOfText.utf8), self.startOfText), (Array(endOfText.utf8), self.endOfText)]
    var inner: [Int32] = []
    var final: [Int32] = []
    for scalar in ByteAlphabet.scalars {
      inner.append(try id(String(scalar), "byte"))
      final.append(try id(String(scalar) + Self.wordEnd, "byte"))
    }
    innerBytes = inner
    finalBytes = final
    self.merges = BytePairMerges(try Self.resolved(merges, ids, names.merge), tokenCount: tokens.count)

    var storage: [UInt8] = []
    var offsets = [0]
    offsets.reserveCapacity(tokens.count + 1)
    for token in tokens {
      storage += ByteAlphabet.bytes(of: token)
      offsets.append(storage.count)
    }
    self.storage = storage
    self.offsets = offsets
    self.cleaning = cleaning
  }

  private static func checkedIds(_ vocabulary: [String: Int], _ name: String) throws(TokenizerError) -> [String: Int32]
  {
    guard vocabulary.count <= countLimit else {
      throw .file(name, expected: "at most \(countLimit) tokens", found: "\(vocabulary.count)")
    }
    var ids: [String: Int32] = [:]
    ids.reserveCapacity(vocabulary.count)
    var owners = [String?](repeating: nil, count: vocabulary.count)
    for (token, id) in vocabulary {
      guard !token.isEmpty else { throw .file(name, expected: "tokens of one character or more", found: "\"\"") }
      guard vocabulary.indices(contain: id) else {
        throw .file(
          name, expected: "ids 0..<\(vocabulary.count), one a token", found: "id \(id) of token \"\(token)\"")
      }
      if let owner = owners[id] {
        let pair = [owner, token].sorted()
        throw .file(name, expected: "one token an id", found: "id \(id) for \"\(pair[0])\" and \"\(pair[1])\"")
      }
      owners[id] = token
      ids[token] = Int32(id)
    }
    return ids
  }

  private static func resolved(
    _ merges: [(String, String)], _ ids: [String: Int32], _ name: (Int) -> String
  ) throws(TokenizerError) -> [BytePairMerges.Merge] {
    guard merges.count <= countLimit else {
      throw .file(name(countLimit), expected: "at most \(countLimit) merges", found: "\(merges.count)")
    }
    var result: [BytePairMerges.Merge] = []
    result.reserveCapacity(merges.count)
    var seen: Set<UInt64> = []
    seen.reserveCapacity(merges.count)
    for (rank, (left, right)) in merges.enumerated() {
      func id(_ token: String) throws(TokenizerError) -> Int32 {
        if let id = ids[token] { return id }
        throw .file(name(rank), expected: "tokens of the vocabulary", found: "\"\(token)\"")
      }
      let merge = try BytePairMerges.Merge(left: id(left), right: id(right), joined: id(left + right))
      guard seen.insert(UInt64(merge.left) << 32 | UInt64(merge.right)).inserted else {
        throw .file(name(rank), expected: "each pair once", found: "\"\(left) \(right)\" again")
      }
      result.append(merge)
    }
    return result
  }
}

extension Dictionary {
  fileprivate func indices(contain id: Int) -> Bool { id >= 0 && id < count }
}

// MARK: - Encoding and decoding

extension Tokenizer {
  /// The token ids of `text`, without start and end tokens.
  public func encode(_ text: String) -> [Int32] {
    var result: [Int32] = []
    var symbols: [Int32] = []
    switch cleaning {
    case .published:
      appendTokens(of: cleaning.cleaned(text), &symbols, to: &result)
    case .huggingFace:
      // Special tokens are found in the text as it is written, before any cleaning.
      for piece in pieces(of: text) {
        switch piece {
        case .special(let index): result.append(specials[index].id)
        case .text(let part): appendTokens(of: cleaning.cleaned(part), &symbols, to: &result)
        }
      }
    }
    return result
  }

  private func appendTokens(of text: String, _ symbols: inout [Int32], to result: inout [Int32]) {
    var text = text
    text.withUTF8 { bytes in
      var scanner = WordScanner(bytes, specials: specials.map(\.name), cleaning: cleaning)
      while let word = scanner.next() {
        switch word {
        case .special(let index): result.append(specials[index].id)
        case .bytes(let range):
          symbols.removeAll(keepingCapacity: true)
          for index in range.dropLast() { symbols.append(innerBytes[Int(bytes[index])]) }
          symbols.append(finalBytes[Int(bytes[range.upperBound - 1])])
          merges.merge(&symbols)
          result += symbols
        }
      }
    }
  }

  private enum Piece {
    case special(Int)
    case text(String)
  }

  private func pieces(of text: String) -> [Piece] {
    let bytes = Array(text.utf8)
    let starts = Set(specials.map { $0.name[0] })
    var result: [Piece] = []
    var textStart = 0
    var index = 0
    while index < bytes.count {
      guard starts.contains(bytes[index]),
        let special = specials.firstIndex(where: { bytes[index...].starts(with: $0.name) })
      else {
        index += 1
        continue
      }
      result.append(.text(String(decoding: bytes[textStart..<index], as: UTF8.self)))
      result.append(.special(special))
      index += specials[special].name.count
      textStart = index
    }
    result.append(.text(String(decoding: bytes[textStart...], as: UTF8.self)))
    return result
  }

  /// The rows a text encoder reads: start of text, tokens, end of text, padding.
  ///
  /// - Parameters:
  ///   - contextLength: the length of each row, 1 or more (77 for every published model).
  ///   - truncate: whether of an over-long text the first `contextLength` tokens are kept, the last of them replaced by
  ///     end of text; else such a text is an error.
  /// - Returns: [texts.count, contextLength].
  /// - Throws: `TokenizerError.textTooLong`.
  public func encode(
    _ texts: [String], contextLength: Int = 77, truncate: Bool = false, padding: Padding = .zero
  ) throws(TokenizerError) -> [[Int32]] {
    precondition(contextLength > 0, "context length: expected 1 or more, found \(contextLength)")
    var rows: [[Int32]] = []
    rows.reserveCapacity(texts.count)
    for text in texts {
      let ids = encode(text)
      let count = ids.count + 2
      guard count <= contextLength || truncate else {
        throw .textTooLong(text, count: count, limit: contextLength)
      }
      var row: [Int32] = []
      row.reserveCapacity(contextLength)
      row.append(startOfText)
      row += ids.prefix(max(contextLength - 2, 0))
      if row.count < contextLength { row.append(endOfText) } else { row[contextLength - 1] = endOfText }
      let filler = padding == .zero ? 0 : endOfText
      row += repeatElement(filler, count: contextLength - row.count)
      rows.append(row)
    }
    return rows
  }

  /// The text of `ids`: words in lower case, each followed by a space. Bytes that are not UTF-8 and ids that are no
  /// token's read as U+FFFD.
  public func decode(_ ids: [Int32]) -> String {
    var bytes: [UInt8] = []
    let wordEnd = Array(Self.wordEnd.utf8)
    for id in ids {
      if id >= 0, id < tokenCount {
        bytes += storage[offsets[Int(id)]..<offsets[Int(id) + 1]]
      } else {
        bytes += Array("\u{FFFD}".utf8)
      }
    }
    // As bytes: a string would not see an end of word before a combining mark.
    return String(decoding: bytes.replacing(wordEnd, with: [UInt8(ascii: " ")]), as: UTF8.self)
  }
}
