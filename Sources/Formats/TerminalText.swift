/// Text on its way to a terminal, some of which comes from files: names of tensors, classes, settings.
package enum TerminalText {
  /// The text with what a terminal would obey in place of showing it escaped: `\x1B`, `\u{202E}`.
  ///
  /// Line feeds and tabs stay, as they lay out messages and tables.
  package static func escaped(_ text: String) -> String {
    // Plain ASCII, by far most of it, is itself.
    if text.utf8.allSatisfy({ 0x20..<0x7F ~= $0 || $0 == 0x0A || $0 == 0x09 }) { return text }
    return text.unicodeScalars.reduce(into: "") { shown, scalar in
      if scalar != "\n", scalar != "\t", isControl(scalar) {
        shown += escape(scalar)
      } else {
        shown.unicodeScalars.append(scalar)
      }
    }
  }

  /// The same on one line: a name from a file must not look like a line of ours.
  package static func line(_ text: String) -> String {
    escaped(text).replacing("\n", with: "\\x0A").replacing("\t", with: "\\x09")
  }

  /// JSON with such characters, which are in strings only, as its own escapes.
  package static func escapedJSON(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { shown, scalar in
      guard scalar != "\n", isControl(scalar), scalar.value < 0x10000 else {
        return shown.unicodeScalars.append(scalar)
      }
      let digits = String(scalar.value, radix: 16)
      shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }

  /// True for control characters (ASCII and ISO 6429's C1), separators of lines, and marks that reverse the direction
  /// of writing, with which a name can look like another.
  static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// `\x1B`, `\u{202E}`
  static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    if scalar.value < 0x80 { return "\\x" + (digits.count < 2 ? "0" : "") + digits }
    return "\\u{\(digits)}"
  }
}
