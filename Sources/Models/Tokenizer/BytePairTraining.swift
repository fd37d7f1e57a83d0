import Formats
import Foundation
import Tensor

/// The training of byte-pair merges (Sennrich et al. 2016, algorithm 1): the most frequent pair of neighbours becomes a
/// token, again and again.
package struct BytePairTraining: Sendable {
  /// The merges, in the order in which they were learned.
  package let merges: [(String, String)]

  /// Learns merges until every word is one token, or until there are `limit`.
  ///
  /// - words: the number of occurrences of each word, 1 or more; each is lower-cased letters as `TextCleaning` leaves
  ///   them. Of pairs that are equally frequent the first in byte order is used.
  package init(words: [String: Int], limit: Int = .max) {
    var pieces = words.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { word, count in
      var symbols = word.utf8.map { String(ByteAlphabet.scalars[Int($0)]) }
      if !symbols.isEmpty { symbols[symbols.count - 1] += Tokenizer.wordEnd }
      return (symbols: symbols, count: count)
    }
    var merges: [(String, String)] = []
    while merges.count < limit, let (left, right) = Self.mostFrequent(pieces) {
      merges.append((left, right))
      for index in pieces.indices { pieces[index].symbols = Self.joining(left, right, in: pieces[index].symbols) }
      // A word of one token has no pairs left.
      pieces.removeAll { $0.symbols.count < 2 }
    }
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

  private static func mostFrequent(_ pieces: [(symbols: [String], count: Int)]) -> (String, String)? {
    struct Pair: Hashable { let left, right: String }
    var counts: [Pair: Int] = [:]
    for (symbols, count) in pieces {
      for (left, right) in zip(symbols, symbols.dropFirst()) {
        counts[Pair(left: left, right: right), default: 0] += count
      }
    }
    let best = counts.max { a, b in
      if a.value != b.value { return a.value < b.value }
      let (one, other) = ("\(a.key.left) \(a.key.right)", "\(b.key.left) \(b.key.right)")
      return other.utf8.lexicographicallyPrecedes(one.utf8)
    }
    return best.map { ($0.key.left, $0.key.right) }
  }

  private static func joining(_ left: String, _ right: String, in symbols: [String]) -> [String] {
    var result: [String] = []
    for symbol in symbols {
      if symbol == right, result.last == left, !result.isEmpty {
        result[result.count - 1] = left + right
      } else {
        result.append(symbol)
      }
    }
    return result
  }

  /// The tokens, by id: the 256 bytes, the same at the end of a word, one per merge, start and end of text.
  package var vocabulary: [String: Int] {
    let bytes = ByteAlphabet.order.map { String(ByteAlphabet.scalars[Int($0)]) }
    let tokens = bytes + bytes.map { $0 + Tokenizer.wordEnd } + merges.map { $0.0 + $0.1 }
    let all = tokens + ["<|startoftext|>", "<|endoftext|>"]
    return Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, $0) })
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
