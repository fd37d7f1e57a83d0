import Foundation

/// Replaces single characters that result from typesetting or transport by the intended ones.
enum CharacterRepair {
  /// Ligatures and digraphs of Latin letters that Unicode has for the sake of older character sets.
  private static let ligatures: [Unicode.Scalar: String] = [
    "Ĳ": "IJ", "ĳ": "ij", "ŉ": "ʼn", "Ǳ": "DZ", "ǲ": "Dz", "ǳ": "dz", "Ǆ": "DŽ", "ǅ": "Dž", "ǆ": "dž", "Ǉ": "LJ",
    "ǈ": "Lj", "ǉ": "lj", "Ǌ": "NJ", "ǋ": "Nj", "ǌ": "nj", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl",
    "ﬅ": "ſt", "ﬆ": "st",
  ]

  /// Halfwidth and fullwidth forms: their compatibility decompositions (Unicode block FF00 to FFEF).
  private static let widths: [Unicode.Scalar: [Unicode.Scalar]] = (UInt32(0xFF01)...0xFFEF).reduce(into: [:]) {
    guard let scalar = Unicode.Scalar($1) else { return }
    let alternate = Array(String(scalar).precomposedStringWithCompatibilityMapping.unicodeScalars)
    if alternate != [scalar] { $0[scalar] = alternate }
  }

  /// Takes ligatures apart, gives every character its standard width, and straightens quotes and line breaks.
  static func plain(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for (index, scalar) in text.enumerated() {
      switch scalar.value {
      case 0x0D:
        // CR LF is one break.
        if index + 1 == text.count || text[index + 1] != "\n" { result.append("\n") }
      case 0x2028, 0x2029: result.append("\n")
      case 0x02BC, 0x2018...0x201B: result.append("'")
      case 0x201C...0x201F: result.append("\"")
      case 0x3000: result.append(" ")
      case 0x0149: result += ["'", "n"]
      case 0x0132...0x0133, 0x01C4...0x01CC, 0x01F1...0x01F3, 0xFB00...0xFB06:
        if let parts = ligatures[scalar] { result += Array(parts.unicodeScalars) } else { result.append(scalar) }
      case 0xFF01...0xFFEF:
        if let alternate = widths[scalar] { result += alternate } else { result.append(scalar) }
      default: result.append(scalar)
      }
    }
    return result
  }

  /// Removes colour codes of terminals (ESC [ numbers letter) and control characters that are not white space.
  static func withoutControls(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      let scalar = text[index]
      if scalar == "\u{1B}", let end = terminalEscape(text, from: index) {
        index = end
        continue
      }
      if !isRemoved(scalar) { result.append(scalar) }
      index += 1
    }
    return result
  }

  private static func terminalEscape(_ text: [Unicode.Scalar], from start: Int) -> Int? {
    guard start + 1 < text.count, text[start + 1] == "[" else { return nil }
    var end = start + 2
    while end < text.count, text[end] == ";" || text[end].properties.generalCategory == .decimalNumber { end += 1 }
    return end < text.count && text[end].isASCII && text[end].isLetter ? end + 1 : nil
  }

  /// Controls without white space, deprecated Arabic controls, annotation marks, object replacement, byte order mark.
  static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
    default: false
    }
  }
}
