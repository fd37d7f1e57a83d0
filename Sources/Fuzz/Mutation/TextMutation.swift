import Checks

/// Changes of a text by its tokens: numbers, strings, words and single characters, so that its syntax mostly holds.
enum TextMutation {
  private static let values = [
    "0", "-1", "1", "2", "7", "1e308", "1e-400", "-9223372036854775808", "9223372036854775807", "18446744073709551616",
    "4294967296", "0.5", "null", "true", "\"\"", "[]", "{}", "[0]", "\"x\"", "1000000", "65536", "NaN", "00", "1e5",
  ]
  private static let strings = [
    "", "a", "weight", "F32", "I64", "U8", "../a", "/", "\\u0000", "\\ud800", "ä", "😀", "clip", "<f4", ">i8", "|O",
    "train",
    "test", "%s", "\\u001b[31m",
  ]

  /// One or two changes.
  static func change(_ text: inout [UInt8], _ numbers: inout CheckNumbers) {
    for _ in 0...numbers.below(2) {
      let tokens = tokens(of: text)
      guard !tokens.isEmpty else { return }
      changeOnce(&text, tokens, &numbers)
    }
  }

  private static func changeOnce(_ text: inout [UInt8], _ tokens: [Range<Int>], _ numbers: inout CheckNumbers) {
    func first(_ index: Int) -> UInt8 { text[tokens[index].lowerBound] }
    func isNumber(_ index: Int) -> Bool { 0x30...0x39 ~= first(index) || first(index) == 0x2D }
    func isString(_ index: Int) -> Bool { [0x22, 0x27].contains(first(index)) && tokens[index].count > 1 }
    func isKey(_ index: Int) -> Bool { index + 1 < tokens.count && first(index + 1) == UInt8(ascii: ":") }
    func isValue(_ index: Int) -> Bool { (isNumber(index) || isString(index)) && !isKey(index) }
    /// A token of a sort; of texts without any, a token.
    func pick(_ condition: (Int) -> Bool) -> Range<Int> {
      let fitting = tokens.indices.filter(condition)
      return tokens[fitting.isEmpty ? numbers.below(tokens.count) : fitting[numbers.below(fitting.count)]]
    }
    switch numbers.below(12) {
    case 0, 1, 2: text.replaceSubrange(pick(isNumber), with: values[numbers.below(values.count)].utf8)
    case 3, 4, 5:
      let range = pick(isString)
      guard range.count > 1 else { return }
      text.replaceSubrange(range.dropFirst().dropLast(), with: strings[numbers.below(strings.count)].utf8)
    case 6, 7: text.replaceSubrange(pick(isValue), with: Array(text[pick(isValue)]))
    case 8:
      // A character of a string or word.
      let range = pick { tokens[$0].count > 2 }
      text[range.lowerBound + range.count / 2] = UInt8(0x20 + numbers.below(0x5F))
    case 9:
      let depth = 1 << numbers.below(12)
      let range = pick(isValue)
      text.insert(contentsOf: [UInt8](repeating: UInt8(ascii: "]"), count: depth), at: range.upperBound)
      text.insert(contentsOf: [UInt8](repeating: UInt8(ascii: "["), count: depth), at: range.lowerBound)
    case 10: changeLines(&text, &numbers)
    default: ByteMutation.change(&text, donor: [], &numbers)
    }
  }

  /// Lines are the units of lists, and of a JSON text its members.
  private static func changeLines(_ text: inout [UInt8], _ numbers: inout CheckNumbers) {
    var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    guard lines.count > 4 else { return }
    let line = 1 + numbers.below(lines.count - 3)
    switch numbers.below(3) {
    case 0: lines.remove(at: line)
    case 1: lines.insert(lines[line], at: line)
    default: lines.swapAt(line, 1 + numbers.below(lines.count - 3))
    }
    text = Array(lines.joined(separator: [0x0A]))
  }

  /// The ranges of strings, numbers, words and single characters; white space is between them.
  static func tokens(of text: [UInt8]) -> [Range<Int>] {
    var (tokens, position) = ([Range<Int>](), 0)
    while position < text.count {
      let (start, byte) = (position, text[position])
      position += 1
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: continue
      case 0x22, 0x27:
        while position < text.count, text[position] != byte { position += text[position] == 0x5C ? 2 : 1 }
        position = min(position + 1, text.count)
      case 0x2D, 0x30...0x39, 0x41...0x5A, 0x61...0x7A:
        while position < text.count, isWord(text[position]) { position += 1 }
      default: break
      }
      tokens.append(start..<position)
    }
    return tokens
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || [0x2B, 0x2D, 0x2E, 0x5F].contains(byte)
  }
}
