import Tensor

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
  /// - contextLength: the length of each row, 1 or more (77 for every published model).
  /// - truncate: true to keep the first `contextLength` tokens of a text that is too long, the last of them replaced
  ///   by end of text; else such a text is an error.
  /// - Returns: [texts.count, contextLength].
  /// - Throws: `TokenizerError.textTooLong`.
  public func encode(
    _ texts: [String], contextLength: Int = 77, truncate: Bool = false, padding: Padding = .zero
  ) throws(TokenizerError) -> [[Int32]] {
    require(contextLength > 0, "context length: expected 1 or more, found \(contextLength)")
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
