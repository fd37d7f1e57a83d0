/// Combining marks in a row, which Swift puts in order whenever it compares or hashes a string: the time grows with the
/// square of their number, so that a name of 80 kB would take half a minute.
package enum CombiningMarks {
  /// The most in a row: those of the Stream-Safe Text Format (Unicode Standard Annex 15, section 13), above what any
  /// language needs.
  static let most = 30
  /// What is expected of text, in messages.
  package static let expected = "at most \(most) combining marks in a row"

  /// Where a text in UTF-8 has more in a row: the byte at which the next one ends; `nil` if it has not.
  ///
  /// `\u0301` counts as the mark that it stands for in JSON. What is not UTF-8 is no mark.
  package static func excess(in text: some Collection<UInt8>) -> Int? {
    // Most texts have neither an escape nor a character that could be one: U+0300 begins with 0xCC.
    guard text.contains(where: { $0 >= 0xCC || $0 == UInt8(ascii: "\\") }) else { return nil }
    var (run, position) = (0, 0)
    var scalar = PartialScalar()
    for byte in text {
      position += 1
      guard let found = scalar.next(byte) else { continue }
      run = isMark(found) ? run + 1 : 0
      if run > most { return position }
    }
    return nil
  }

  /// Refuses a text of a file that has more.
  static func check(_ text: some Collection<UInt8>, _ what: String) throws(FormatProblem) {
    guard excess(in: text) == nil else { throw FormatProblem(expected: expected, found: "more in \(what)") }
  }

  private static func isMark(_ value: UInt32) -> Bool {
    // The first one is U+0300.
    guard value >= 0x300, let scalar = Unicode.Scalar(value) else { return false }
    // Some marks of class 0 are made of others that have one.
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: return true
    default: return scalar.properties.canonicalCombiningClass != .notReordered
    }
  }

  /// A scalar of which some bytes were read, in UTF-8 or as JSON escapes it.
  private struct PartialScalar {
    private var value: UInt32 = 0
    /// The bytes, or digits of an escape, that are still to come.
    private var rest = 0
    private var (isEscaped, digits) = (false, false)
    /// The first half of a pair of escapes.
    private var high: UInt32?

    /// The scalar that a byte ends, or the byte itself where it ends none; `nil` in the middle of one.
    mutating func next(_ byte: UInt8) -> UInt32? {
      if digits { return digit(byte) }
      if isEscaped {
        isEscaped = false
        guard byte == UInt8(ascii: "u") else { return ended(UInt32(byte)) }
        (digits, rest, value) = (true, 4, 0)
        return nil
      }
      if rest > 0, byte & 0xC0 == 0x80 {
        (value, rest) = (value << 6 | UInt32(byte & 0x3F), rest - 1)
        return rest == 0 ? ended(value) : nil
      }
      rest = 0
      switch byte {
      case UInt8(ascii: "\\"): isEscaped = true
      case 0xC2...0xDF: (value, rest) = (UInt32(byte & 0x1F), 1)
      case 0xE0...0xEF: (value, rest) = (UInt32(byte & 0x0F), 2)
      case 0xF0...0xF4: (value, rest) = (UInt32(byte & 0x07), 3)
      default: return ended(UInt32(byte))
      }
      return nil
    }

    private mutating func digit(_ byte: UInt8) -> UInt32? {
      guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        (digits, rest) = (false, 0)
        return ended(UInt32(byte))
      }
      (value, rest) = (value << 4 | UInt32(digit), rest - 1)
      guard rest == 0 else { return nil }
      digits = false
      if 0xD800..<0xDC00 ~= value {
        high = value
        return nil
      }
      guard let high, 0xDC00..<0xE000 ~= value else { return ended(value) }
      return ended(0x10000 + (high - 0xD800) << 10 + value - 0xDC00)
    }

    private mutating func ended(_ value: UInt32) -> UInt32 {
      high = nil
      return value
    }
  }
}
