/// A reader of the JSON in safetensors headers and shard indices: strict, in one pass over the bytes.
///
/// It is not Foundation's because a header must not name a tensor twice, which a decoder into dictionaries cannot
/// see, and because offsets are integers of 64 bits. It expects the one shape a header has, so its depth is fixed;
/// values that are skipped may be nested to any depth, at the cost of one byte each.
struct JSONScanner {
  typealias Problem = FormatProblem

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next byte that is not white space, left in place.
  mutating func peek() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
      position += 1
    }
    return nil
  }

  /// Consumes one character, after white space.
  mutating func take(_ character: Unicode.Scalar) throws(Problem) {
    guard peek() == UInt8(ascii: character) else { throw problem("\"\(character)\"") }
    position += 1
  }

  /// Consumes one character if it comes next, after white space.
  mutating func takes(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// Refuses anything but white space up to the end.
  mutating func end() throws(Problem) { if peek() != nil { throw problem("nothing after the JSON value") } }

  /// An error about the next character.
  mutating func problem(_ expected: String) -> Problem {
    guard let byte = peek() else { return Problem(expected: expected, found: "the end of the JSON text") }
    let found = (0x21..<0x7f).contains(byte) ? "\"\(Unicode.Scalar(byte))\"" : "byte \(byte)"
    return Problem(expected: expected, found: "\(found) at byte \(position) of the JSON text")
  }

  /// An object: calls `member` after each key, to consume the value.
  mutating func object(_ member: (String, inout JSONScanner) throws(Problem) -> Void) throws(Problem) {
    try take("{")
    if takes("}") { return }
    repeat {
      let key = try string()
      try take(":")
      try member(key, &self)
    } while takes(",")
    try take("}")
  }

  /// An array of integers from 0 to the largest `Int`.
  mutating func integers() throws(Problem) -> [Int] {
    guard takes("[") else { throw problem("an array of integers") }
    if takes("]") { return [] }
    var values: [Int] = []
    repeat { values.append(try integer()) } while takes(",")
    try take("]")
    return values
  }

  private mutating func integer() throws(Problem) -> Int {
    guard let first = peek(), isDigit(first) else { throw problem("an integer of 0 or more") }
    var value = 0
    let start = position
    while position < bytes.count, isDigit(bytes[position]) {
      let (tens, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(bytes[position] - 0x30))
      guard !over, !carry else { throw Problem(expected: "an integer below 2^63", found: "a larger one") }
      value = sum
      position += 1
    }
    guard first != 0x30 || position == start + 1 else {
      throw Problem(expected: "an integer without leading zeros", found: "one with them at byte \(start)")
    }
    return value
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// A string, unescaped.
  mutating func string() throws(Problem) -> String {
    guard takes("\"") else { throw problem("a string") }
    let start = position
    var unescaped: [UInt8] = []
    var plain = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        unescaped.append(contentsOf: bytes[plain..<position])
        position += 1
        guard let text = String(validating: unescaped, as: UTF8.self) else {
          throw Problem(expected: "a string in UTF-8", found: "other bytes in the string at byte \(start)")
        }
        try CombiningMarks.check(unescaped, "the string at byte \(start)")
        return text
      }
      guard byte >= 0x20 else {
        throw Problem(expected: "a string without bare control characters", found: "byte \(byte) at byte \(position)")
      }
      guard byte == UInt8(ascii: "\\") else {
        position += 1
        continue
      }
      unescaped.append(contentsOf: bytes[plain..<position])
      position += 1
      unescaped.append(contentsOf: Array(String(try escape()).utf8))
      plain = position
    }
    throw Problem(expected: "the end of the string at byte \(start)", found: "the end of the JSON text")
  }

  /// The character that an escape stands for, its backslash consumed already.
  private mutating func escape() throws(Problem) -> Unicode.Scalar {
    guard position < bytes.count else { throw problem("an escaped character") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default:
      throw Problem(expected: "one of the escapes of JSON", found: "another one at byte \(position - 2)")
    }
    let unit = try codeUnit()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // A character beyond 16 bits is written as two units of UTF-16.
    if unit < 0xdc00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    {
      position += 2
      let low = try codeUnit()
      if (0xdc00..<0xe000).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + low - 0xdc00) {
        return scalar
      }
    }
    throw Problem(expected: "a pair of surrogates", found: "half of one before byte \(position)")
  }

  private mutating func codeUnit() throws(Problem) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue,
        bytes[position] < 0x80
      else { throw Problem(expected: "four hexadecimal digits", found: "fewer at byte \(position)") }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }
}

extension JSONScanner {
  /// Consumes any value, whatever its depth.
  mutating func skipValue() throws(Problem) {
    var open: [UInt8] = []
    repeat {
      // One value begins; where a container opens, its first member is the next round.
      switch peek() {
      case UInt8(ascii: "{"):
        try take("{")
        if !takes("}") {
          open.append(UInt8(ascii: "}"))
          try key()
          continue
        }
      case UInt8(ascii: "["):
        try take("[")
        if !takes("]") {
          open.append(UInt8(ascii: "]"))
          continue
        }
      case UInt8(ascii: "\""): _ = try string()
      default: _ = try literal()
      }
      // One value ended, and with it every container whose last member it was.
      while let last = open.last, !takes(",") {
        try take(Unicode.Scalar(last))
        open.removeLast()
      }
      if open.last == UInt8(ascii: "}") { try key() }
    } while !open.isEmpty
  }

  private mutating func key() throws(Problem) {
    _ = try string()
    try take(":")
  }

  /// Whether a text is a number as RFC 8259, section 6, has it: no sign but a minus, no zeros in front, no bare point.
  private static func isNumber(_ text: some BidirectionalCollection<UInt8>) -> Bool {
    var rest = text[...]
    func digits() -> Int {
      let count = rest.prefix { (0x30...0x39).contains($0) }.count
      rest = rest.dropFirst(count)
      return count
    }
    func takes(_ bytes: [UInt8]) -> Bool {
      guard let first = rest.first, bytes.contains(first) else { return false }
      rest = rest.dropFirst()
      return true
    }
    _ = takes([UInt8(ascii: "-")])
    let hasZero = rest.first == 0x30
    let whole = digits()
    guard whole == 1 || whole > 1 && !hasZero else { return false }
    if takes([UInt8(ascii: ".")]), digits() == 0 { return false }
    if takes([UInt8(ascii: "e"), UInt8(ascii: "E")]) {
      _ = takes([UInt8(ascii: "+"), UInt8(ascii: "-")])
      if digits() == 0 { return false }
    }
    return rest.isEmpty
  }

  /// Consumes a number, `true`, `false` or `null`, and returns its text.
  mutating func literal() throws(Problem) -> String {
    var text = ""
    let start = self
    _ = peek()
    while position < bytes.count, text.utf8.count < 400,
      isDigit(bytes[position]) || (0x61...0x7a).contains(bytes[position])
        || [0x2b, 0x2d, 0x2e, 0x45].contains(bytes[position])
    {
      text.unicodeScalars.append(Unicode.Scalar(bytes[position]))
      position += 1
    }
    guard ["true", "false", "null"].contains(text) || Self.isNumber(text.utf8) else {
      self = start
      throw problem("a JSON value")
    }
    return text
  }
}
