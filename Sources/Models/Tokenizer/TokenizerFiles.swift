import Foundation
import Tensor

extension Tokenizer {
  /// The number of merges of the published list that the published vocabulary uses: 49,152 − 256 − 2.
  public static let publishedMergeCount = 48_894

  /// The names under which CLIP's code has its merges, packed and unpacked.
  static let publishedNames = ["bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"]

  /// The tokenizer of a model folder as Hugging Face writes it.
  ///
  /// Reads `vocab.json` and `merges.txt`, or else `tokenizer.json`; names of the start and end tokens from
  /// `tokenizer_config.json` or `special_tokens_map.json` where they are given. Without those files, the merge list of
  /// CLIP's code is looked for (`publishedNames`).
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
      for name in publishedNames {
        let url = directory.appendingPathComponent(name)
        guard TokenizerFile.exists(url) else { continue }
        let text = try name.hasSuffix(".gz") ? TokenizerFile.unpackedText(url) : TokenizerFile.text(url)
        return try Tokenizer(publishedMerges: text, count: publishedMergeCount, cleaning: cleaning, name: url.shown)
      }
      throw .file(
        directory.shown,
        expected: "vocab.json and merges.txt, or tokenizer.json, or \(publishedNames[0]) of CLIP's code "
          + "(https://github.com/openai/CLIP/tree/main/clip)", found: "none of them")
    }
    // One file of the pair without the other is a broken copy, unless the single file makes up for it.
    let isPairWhole = TokenizerFile.exists(vocabularyURL) && TokenizerFile.exists(mergesURL)
    if hasPair && (isPairWhole || !TokenizerFile.exists(singleURL)) {
      let vocabulary = try TokenizerFile.json([String: Int].self, vocabularyURL)
      let list = try MergeList(TokenizerFile.text(mergesURL), name: mergesURL.shown)
      let addedURL = directory.appendingPathComponent("added_tokens.json")
      if TokenizerFile.exists(addedURL) {
        let added = try TokenizerFile.json([String: Int].self, addedURL)
        try refuse(added.keys.filter { vocabulary[$0] == nil }.sorted(), besides: [start, end], addedURL)
      }
      return try Tokenizer(
        vocabulary: vocabulary, merges: list.merges, startOfText: start, endOfText: end, cleaning: cleaning,
        names: (vocabularyURL.shown, { "\(mergesURL.shown) line \(list.firstLine + $0)" }))
    }
    let file = try TokenizerFile.json(SingleFile.self, singleURL)
    if let type = file.model.type, type != "BPE" {
      throw .file(singleURL.shown, expected: "model type \"BPE\"", found: "\"\(type)\"")
    }
    if let suffix = file.model.endOfWordSuffix, suffix != wordEnd {
      throw .file(singleURL.shown, expected: "end_of_word_suffix \"\(wordEnd)\"", found: "\"\(suffix)\"")
    }
    var vocabulary = file.model.vocab
    let added = (file.addedTokens ?? []).filter { vocabulary[$0.content] == nil && $0.isSpecial != true }
    try refuse(added.map(\.content), besides: [start, end], singleURL)
    for token in file.addedTokens ?? [] {
      if let id = vocabulary[token.content], id != token.id {
        throw .file(singleURL.shown, expected: "id \(id) for added token \"\(token.content)\"", found: "\(token.id)")
      }
      vocabulary[token.content] = token.id
    }
    return try Tokenizer(
      vocabulary: vocabulary, merges: file.model.merges.map { ($0.left, $0.right) }, startOfText: start, endOfText: end,
      cleaning: cleaning, names: (singleURL.shown, { "\(singleURL.shown) merge \($0 + 1)" }))
  }

  /// The tokenizer of a merge list as published with CLIP's code (`bpe_simple_vocab_16e6.txt`, unpacked).
  ///
  /// Ids: the 256 bytes in the order of `ByteAlphabet`, the same with `</w>`, one per merge, start and end of text.
  ///
  /// - text: a header line, then one merge per line, best first.
  /// - count: the number of merges used; the published list is longer than the published vocabulary.
  /// - Throws: `TokenizerError.file` naming the line.
  public init(
    publishedMerges text: String, count: Int = Tokenizer.publishedMergeCount, cleaning: TextCleaning = .published
  ) throws(TokenizerError) {
    try self.init(publishedMerges: text, count: count, cleaning: cleaning, name: "merge list")
  }

  /// As above; `name` is that of the list in errors.
  private init(publishedMerges text: String, count: Int, cleaning: TextCleaning, name: String) throws(TokenizerError) {
    require(count >= 0, "merge count: expected 0 or more, found \(count)")
    let list = try MergeList(text, name: name, hasHead: true, limit: count)
    guard list.merges.count == count else {
      throw .file(name, expected: "\(count) merges after the header line", found: "\(list.merges.count)")
    }
    let bytes = ByteAlphabet.order.map { String(ByteAlphabet.scalars[Int($0)]) }
    let special = ["<|startoftext|>", "<|endoftext|>"]
    let tokens = bytes + bytes.map { $0 + Self.wordEnd } + list.merges.map { $0.0 + $0.1 } + special
    var vocabulary: [String: Int] = [:]
    vocabulary.reserveCapacity(tokens.count)
    for (id, token) in tokens.enumerated() {
      if let first = vocabulary.updateValue(id, forKey: token) {
        throw .file(name, expected: "one merge per token", found: "\"\(token)\" as token \(first) and \(id)")
      }
    }
    try self.init(
      vocabulary: vocabulary, merges: list.merges, startOfText: special[0], endOfText: special[1], cleaning: cleaning,
      names: (name, { "\(name) line \(list.firstLine + $0)" }))
  }

  /// Refuses tokens that were added to CLIP's, as texts that hold them would be cut into others.
  ///
  /// - known: the marks of start and end, and those that no text has.
  private static func refuse(_ added: [String], besides known: [String], _ url: URL) throws(TokenizerError) {
    let unused = known + ["<|startoftext|>", "<|endoftext|>", "<|pad|>", "[PAD]", "<pad>", "<|unk|>", "[UNK]", "<unk>"]
    guard let token = added.first(where: { !unused.contains($0) }) else { return }
    throw .file(url.shown, expected: "no tokens besides CLIP's own, as they are not supported", found: "\"\(token)\"")
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
