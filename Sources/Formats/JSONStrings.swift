/// The strings of a JSON text, told from the rest of it byte by byte.
struct JSONStrings {
  /// True from the opening quote of a string to the byte before its closing quote.
  private(set) var isOpen = false
  private var isEscaped = false

  /// Reads the next byte, and returns whether a string has it: its closing quote it has, its opening one it has not.
  mutating func take(_ byte: UInt8) -> Bool {
    guard isOpen else {
      isOpen = byte == UInt8(ascii: "\"")
      return false
    }
    if byte == UInt8(ascii: "\""), !isEscaped { isOpen = false }
    isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
    return true
  }
}
