/// A plain value in a PyTorch checkpoint, such as the epoch.
package enum PythonValue: Equatable, Sendable, CustomStringConvertible {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer that does not fit in 64 bits, in decimal.
  case largeInteger(String)
  case number(Double)
  case string(String)
  case bytes([UInt8])
  /// A container other than a dictionary, in Python's notation, truncated if long.
  case other(String)

  /// The value in Python's notation.
  package var description: String {
    switch self {
    case .none: "None"
    case .bool(let value): value ? "True" : "False"
    case .integer(let value): "\(value)"
    case .largeInteger(let digits): digits
    case .number(let value): "\(value)"
    case .string(let text): Self.quoted(text.unicodeScalars.prefix(Self.limit + 1), marks: text)
    case .bytes(let bytes): "b" + Self.quoted(bytes.prefix(Self.limit + 1).map { Unicode.Scalar($0) }, isASCII: true)
    case .other(let text): text
    }
  }

  /// The maximal number of characters of a text that are shown.
  static let limit = 200

  private static func quoted(
    _ scalars: some Collection<Unicode.Scalar>, marks text: String = "", isASCII: Bool = false
  ) -> String {
    let mark = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var shown = mark
    for scalar in scalars.prefix(limit) {
      switch scalar {
      case "\\": shown += "\\\\"
      case "\n": shown += "\\n"
      case "\r": shown += "\\r"
      case "\t": shown += "\\t"
      case "'" where mark == "'": shown += "\\'"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f || isASCII && scalar.value > 0x7e:
        let digits = String(scalar.value, radix: 16)
        shown += "\\x" + (digits.count < 2 ? "0" : "") + digits
      default: shown.unicodeScalars.append(scalar)
      }
    }
    return shown + (scalars.count > limit ? "…" : "") + mark
  }

  /// The decimal digits of two's complement, lowest byte first, by repeated division by 10⁹.
  static func decimal(_ bytes: [UInt8]) -> String {
    let isNegative = (bytes.last ?? 0) >= 0x80
    var magnitude = bytes
    if isNegative {
      var carry = true
      for index in magnitude.indices {
        magnitude[index] = ~magnitude[index]
        if carry { (magnitude[index], carry) = magnitude[index].addingReportingOverflow(1) }
      }
    }
    var groups: [String] = []
    while magnitude.contains(where: { $0 != 0 }) {
      var rest: UInt64 = 0
      for index in magnitude.indices.reversed() {
        let (quotient, remainder) = (rest << 8 | UInt64(magnitude[index])).quotientAndRemainder(
          dividingBy: 1_000_000_000)
        (magnitude[index], rest) = (UInt8(quotient), remainder)
      }
      groups.append("\(rest)")
    }
    guard let first = groups.popLast() else { return "0" }
    let digits = groups.reversed().map { String(repeating: "0", count: 9 - $0.count) + $0 }.joined()
    return (isNegative ? "-" : "") + first + digits
  }
}
