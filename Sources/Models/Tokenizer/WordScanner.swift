/// Cuts a cleaned text into the words that byte-pair merges may not cross.
///
/// The pattern of the published tokenizer, tried in this order at each position (white space is skipped):
///
///     <|startoftext|> | <|endoftext|> | 's | 't | 're | 've | 'm | 'll | 'd | \p{L}+ | \p{N} | [^\s\p{L}\p{N}]+
struct WordScanner {
  /// A special token's name, or a run of the text's UTF-8 bytes.
  enum Word: Equatable {
    case special(Int)
    case bytes(Range<Int>)
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  /// UTF-8 of the names of special tokens; index in `Word.special`.
  private let specials: [[UInt8]]
  private let cleaning: TextCleaning
  private var position = 0
  /// The end of a special token's name that is being read as plain words.
  private var nameEnd = 0

  /// - bytes: valid UTF-8 in lower case, which the scanner relies on.
  init(_ bytes: UnsafeBufferPointer<UInt8>, specials: [[UInt8]], cleaning: TextCleaning) {
    self.bytes = bytes
    self.specials = specials
    self.cleaning = cleaning
  }

  private static let suffixes = ["s", "t", "re", "ve", "m", "ll", "d"].map { Array($0.utf8) }

  private enum Class { case space, letter, number, other }

  mutating func next() -> Word? {
    while position < bytes.count {
      let start = position
      let (kind, length) = classify(at: start)
      if kind == .space {
        position += length
        continue
      }
      if kind == .other {
        if start >= nameEnd, let (index, end) = special(at: start) {
          switch cleaning {
          case .published:
            position = end
            // A name written with ſ is cut like one, but is no special token.
            return end - start == specials[index].count ? .special(index) : .bytes(start..<end)
          case .huggingFace:
            // Names as they are written were found before cleaning; one that became one by lower-casing is cut off
            // from what is around it and then read as plain words.
            nameEnd = end
          }
        }
        if bytes[start] == 0x27 {
          for suffix in Self.suffixes {
            if let end = end(of: suffix, at: start + 1) {
              position = end
              return .bytes(start..<end)
            }
          }
        }
      }
      position += length
      let limit = start < nameEnd ? nameEnd : bytes.count
      while kind != .number, position < limit {
        let (next, length) = classify(at: position)
        if next != kind { break }
        position += length
      }
      return .bytes(start..<position)
    }
    return nil
  }

  private func special(at start: Int) -> (index: Int, end: Int)? {
    for (index, name) in specials.enumerated() {
      if let end = end(of: name, at: start) { return (index, end) }
    }
    return nil
  }

  /// The end of `name` if it occurs at `start`; the published pattern ignores case, so that ſ counts as s.
  private func end(of name: [UInt8], at start: Int) -> Int? {
    var position = start
    for byte in name {
      guard position < bytes.count else { return nil }
      if bytes[position] == byte {
        position += 1
      } else if cleaning == .published, byte == 0x73, bytes[position...].starts(with: "ſ".utf8) {
        position += 2
      } else {
        return nil
      }
    }
    return position
  }

  private func classify(at index: Int) -> (Class, length: Int) {
    let first = bytes[index]
    if first < 0x80 {
      switch first {
      case 0x61...0x7A, 0x41...0x5A: return (.letter, 1)
      case 0x30...0x39: return (.number, 1)
      case 0x20, 0x09...0x0D: return (.space, 1)
      default: return (.other, 1)
      }
    }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    var value = UInt32(first) & (0xFF >> UInt32(length + 1))
    for offset in 1..<length { value = value << 6 | UInt32(bytes[index + offset] & 0x3F) }
    guard let scalar = Unicode.Scalar(value) else { return (.other, length) }
    // Regardless of case U+0345 is an iota, so that "no letter" does not match it, and neither does "letter".
    if cleaning == .published, value == 0x345 { return (.space, length) }
    if scalar.isLetter { return (.letter, length) }
    if scalar.isNumber { return (.number, length) }
    return (scalar.properties.isWhitespace ? .space : .other, length)
  }
}
