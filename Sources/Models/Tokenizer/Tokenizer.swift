/// CLIP's tokenizer: byte-level byte-pair encoding of lower-cased words, each ended by `</w>` (Radford et al. 2021,
/// 2.4; vocabulary of 49,408 tokens: 512 bytes, 48,894 merges, start and end of text).
///
/// Token ids equal those of the published tokenizer, or of Hugging Face's with `TextCleaning.huggingFace`.
public struct Tokenizer: Sendable {
  /// The padding of a row after the end-of-text token.
  public enum Padding: Sendable {
    /// Id 0, as the published tokenizer.
    case zero
    /// The end-of-text id, as Hugging Face's.
    case endOfText
  }

  /// The text cleaning before tokenization.
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
  let finalBytes: [Int32]
  /// The bytes of token `i`: `storage[offsets[i]..<offsets[i + 1]]`.
  let storage: [UInt8]
  let offsets: [Int]
  let specials: [(name: [UInt8], id: Int32)]

  static let wordEnd = "</w>"
  /// Far above any published vocabulary; keeps a hostile file from asking for more.
  static let countLimit = 1 << 20

  /// A tokenizer of the given vocabulary.
  ///
  /// - vocabulary: ids of the tokens, 0..<count without hole; holds each byte's stand-in with and without `</w>`.
  /// - merges: pairs of tokens in order of rank.
  /// - startOfText, endOfText: names of the special tokens.
  /// - Throws: `TokenizerError.file` if ids or merges contradict each other.
  public init(
    vocabulary: [String: Int], merges: [(String, String)], startOfText: String = "<|startoftext|>",
    endOfText: String = "<|endoftext|>", cleaning: TextCleaning = .published
  ) throws(TokenizerError) {
    try self.init(
      vocabulary: vocabulary, merges: merges, startOfText: startOfText, endOfText: endOfText, cleaning: cleaning,
      names: ("vocabulary", { "merge \($0 + 1)" }))
  }

  /// As above; `names` are the origins of the vocabulary and of each merge in errors.
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
          name, expected: "ids 0..<\(vocabulary.count), one per token", found: "id \(id) of token \"\(token)\"")
      }
      if let owner = owners[id] {
        let pair = [owner, token].sorted()
        throw .file(name, expected: "one token per id", found: "id \(id) for \"\(pair[0])\" and \"\(pair[1])\"")
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
