/// Names of files, which are bytes, as strings and back.
///
/// Most names are UTF-8 and are themselves. A byte that belongs to no UTF-8 becomes a character for private use,
/// U+10F700 plus the byte, and so do the bytes of such a character: different names never become one string.
package enum FileName {
  private static let first: UInt32 = 0x10_F780
  private static let last: UInt32 = 0x10_F7FF

  /// The string of a name or path.
  package static func string(_ bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    if let text = String(validating: bytes, as: UTF8.self), !isEscaped(text) { return text }
    var text = String.UnicodeScalarView()
    var position = 0
    while position < bytes.count {
      if let (scalar, count) = scalar(in: bytes, at: position), !(first...last ~= scalar.value) {
        text.append(scalar)
        position += count
      } else {
        text.append(Unicode.Scalar(first - 0x80 + UInt32(bytes[position]))!)
        position += 1
      }
    }
    return String(text)
  }

  /// The bytes of a string made by `string`, or of any other.
  package static func bytes(_ string: String) -> [UInt8] {
    guard isEscaped(string) else { return Array(string.utf8) }
    return string.unicodeScalars.flatMap { scalar in
      byte(scalar).map { [$0] } ?? Array(String(scalar).utf8)
    }
  }

  /// The name for people and prompts: a byte that is no UTF-8 as `\xE9`.
  package static func text(_ string: String) -> String {
    isEscaped(string) ? escaped(string) { $0.value >= first } : string
  }

  /// The name on one line of a terminal: what could move the cursor, change colours or hide text is escaped, too.
  package static func shown(_ string: String) -> String {
    let isPlain = string.utf8.allSatisfy { 0x20..<0x7F ~= $0 }
    return isPlain ? string : escaped(string) { TerminalText.isControl($0) || byte($0) != nil }
  }

  /// Calls `body` with the path as the system wants it.
  package static func withPath<Result>(_ path: String, _ body: (UnsafePointer<CChar>) throws -> Result) rethrows
    -> Result
  {
    try (bytes(path).map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { try body($0.baseAddress!) }
  }

  /// True if the string has characters that stand for bytes.
  private static func isEscaped(_ string: String) -> Bool {
    // Those characters are the only ones that begin with F4 8F 9E or F4 8F 9F; F4 alone is rare enough.
    string.utf8.contains(0xF4) && string.unicodeScalars.contains { byte($0) != nil }
  }

  private static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
    first...last ~= scalar.value ? UInt8(scalar.value - first + 0x80) : nil
  }

  private static func escaped(_ string: String, where isEscaped: (Unicode.Scalar) -> Bool) -> String {
    string.unicodeScalars.reduce(into: "") { text, scalar in
      guard isEscaped(scalar) else { return text.unicodeScalars.append(scalar) }
      guard let byte = byte(scalar) ?? (scalar.isASCII ? UInt8(scalar.value) : nil) else {
        text += TerminalText.escape(scalar)
        return
      }
      text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }

  /// The character that begins at a position, if it is valid, and its length.
  private static func scalar(in bytes: [UInt8], at position: Int) -> (Unicode.Scalar, Int)? {
    let count =
      switch bytes[position] {
      case 0..<0x80: 1
      case 0xC2..<0xE0: 2
      case 0xE0..<0xF0: 3
      case 0xF0..<0xF5: 4
      default: 0
      }
    guard count > 0, position + count <= bytes.count,
      let text = String(validating: bytes[position..<position + count], as: UTF8.self),
      let scalar = text.unicodeScalars.first
    else { return nil }
    return (scalar, count)
  }
}
