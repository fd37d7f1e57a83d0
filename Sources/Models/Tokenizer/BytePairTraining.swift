import Formats
import Foundation
import Tensor

/// The training of byte-pair merges (Sennrich et al. 2016, algorithm 1): the most frequent pair of neighbours becomes a
/// token, again and again.
package struct BytePairTraining: Sendable {
  /// The merges, in the order in which they were learned.
  package let merges: [(String, String)]

  /// The longest word that is learned, in bytes: one that never repeats itself has as many merges, of all lengths.
  package static let longestWord = 256

  /// Learns merges until every word is one token, or until there are `limit`.
  ///
  /// - words: the number of occurrences of each word, 1 or more; each is lower-cased letters as `TextCleaning` leaves
  ///   them. Of pairs that are equally frequent the first in byte order is used. Words beyond `longestWord` are left
  ///   out: they are spelled with what the others need.
  package init(words: [String: Int], limit: Int = .max) {
    var merger = BytePairMerger(words.filter { $0.key.utf8.count <= Self.longestWord })
    var merges: [(String, String)] = []
    while merges.count < limit, let pair = merger.mergeMostFrequent() { merges.append(pair) }
    self.merges = merges
  }

  /// The number of occurrences of each word of some texts, cut and lower-cased as the tokenizer does.
  package static func counts(of texts: [String]) -> [String: Int] {
    var counts: [String: Int] = [:]
    for text in texts {
      var cleaned = TextCleaning.published.cleaned(text)
      let words = cleaned.withUTF8 { bytes in
        var scanner = WordScanner(bytes, specials: [], cleaning: .published)
        var words: [String] = []
        while case .bytes(let range)? = scanner.next() { words.append(String(decoding: bytes[range], as: UTF8.self)) }
        return words
      }
      for word in words { counts[word, default: 0] += 1 }
    }
    return counts
  }

  /// The tokens, by id: the 256 bytes, the same at the end of a word, those of merges, start and end of text.
  package var vocabulary: [String: Int] {
    let bytes = ByteAlphabet.order.map { String(ByteAlphabet.scalars[Int($0)]) }
    let tokens = bytes + bytes.map { $0 + Tokenizer.wordEnd } + merges.map { $0.0 + $0.1 }
    // Two merges may end in the same token.
    var ids: [String: Int] = [:]
    for token in tokens + ["<|startoftext|>", "<|endoftext|>"] where ids[token] == nil { ids[token] = ids.count }
    return ids
  }

  /// The tokenizer of these merges.
  package var tokenizer: Tokenizer {
    do throws(TokenizerError) {
      return try Tokenizer(vocabulary: vocabulary, merges: merges)
    } catch { trap("BytePairTraining: \(error)") }
  }

  /// Writes `vocab.json` and `merges.txt` as Hugging Face keeps them.
  ///
  /// - Throws: `FileError` if the folder cannot be written.
  package func write(to folder: URL) throws(FileError) {
    // One token per line, by id: JSON with defined bytes.
    let lines = vocabulary.sorted { $0.value < $1.value }.map { token, id in
      let escaped = token.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      return "\"\(escaped)\": \(id)"
    }
    try AtomicFile.write(
      Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8), to: folder.appendingPathComponent("vocab.json"))
    let list = ["#version: 0.2"] + merges.map { "\($0) \($1)" }
    try AtomicFile.write(
      Array((list.joined(separator: "\n") + "\n").utf8), to: folder.appendingPathComponent("merges.txt"))
  }
}
