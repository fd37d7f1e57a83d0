import Foundation

/// The cleaning of a text before tokenization. The two tokenizers in use differ, and so do their token ids.
///
/// The raw value is the name under which flags and run folders have it.
public enum TextCleaning: String, Sendable, CaseIterable {
  /// As the tokenizer published with CLIP: wrong decodings, ligatures, widths and quotes repaired (ftfy), HTML
  /// references resolved (twice over), NFC, white space collapsed and trimmed, lower case with final sigma.
  case published
  /// As Hugging Face's `CLIPTokenizer`: NFC, white space collapsed, lower case one character at a time; nothing else.
  case huggingFace = "hugging-face"

  /// The cleaned form of `text`.
  public func cleaned(_ text: String) -> String {
    switch self {
    case .published:
      if let plain = Self.cleanedASCII(text) { return plain }
      let repaired = Self.repaired(Array(text.unicodeScalars))
      let unescaped = HTMLEntities.unescaped(HTMLEntities.unescaped(repaired))
      return Self.string(Self.lowercased(Self.collapsed(unescaped)))
    case .huggingFace:
      let collapsed = Self.collapsed(Self.composed(Array(text.unicodeScalars)))
      return Self.string(collapsed.flatMap { $0.properties.lowercaseMapping.unicodeScalars })
    }
  }

  /// The fast path for nearly every prompt: printable ASCII without `&`, which no repair touches.
  private static func cleanedASCII(_ text: String) -> String? {
    var text = text
    return text.withUTF8 { bytes -> String? in
      let isPlain = bytes.allSatisfy {
        (0x20...0x7E).contains($0) && $0 != 0x26 || (0x09...0x0D).contains($0) && $0 != 0x0B
      }
      guard isPlain else { return nil }
      return String(unsafeUninitializedCapacity: bytes.count) { result in
        var count = 0
        var gap = false
        for byte in bytes {
          if byte <= 0x20 {
            gap = count > 0
            continue
          }
          if gap {
            result[count] = 0x20
            count += 1
            gap = false
          }
          result[count] = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
          count += 1
        }
        return count
      }
    }
  }

  /// One round resolves one layer of `&amp;amp;…`; the bound is for texts that consist only of layers.
  private static let roundLimit = 64
  /// Lines longer than this are repaired piece by piece.
  private static let segmentLimit = 1_000_000

  /// The repairs of ftfy 6.3 in its order, line by line. A `<` says that the text is not escaped HTML, from there on.
  private static func repaired(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var isEscaped = true
    var start = 0
    while start < text.count {
      let limit = min(start + segmentLimit, text.count)
      let end = text[start..<limit].firstIndex(of: "\n").map { $0 + 1 } ?? limit
      var segment = Array(text[start..<end])
      if segment.contains("<") { isEscaped = false }
      for _ in 0..<roundLimit {
        var next = isEscaped ? HTMLEntities.unescapedStrictly(segment) : segment
        next = Mojibake.withoutControls(Mojibake.repaired(next))
        next = composed(CharacterRepair.withoutControls(CharacterRepair.plain(next)))
        if next == segment { break }
        segment = next
      }
      result += segment
      start = end
    }
    return result
  }

  /// Normalization form C. Below U+0300 every text already is.
  ///
  /// Foundation on Linux mistakes a character beyond U+FFFF for one of the same low 16 bits when a mark follows; no
  /// such mark can change it, so the text is normalized piece by piece with a cut between the two. A run of marks that
  /// no script piles up is cut as well, since Foundation's time grows with the square of its length.
  private static func composed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard text.contains(where: { $0.value >= 0x300 }) else { return text }
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var start = 0
    var marks = 0
    for (index, scalar) in text.enumerated() {
      let isMark = scalar.value >= 0x300 && scalar.properties.canonicalCombiningClass != .notReordered
      marks = isMark ? marks + 1 : 0
      let isLast = index + 1 == text.count
      let isMistaken = !isLast && !isMark && scalar.value > 0xFFFF && text[index + 1].value <= 0xFFFF
      guard isLast || isMistaken || marks == markLimit else { continue }
      marks = 0
      let piece = Array(text[start...index])
      result += string(piece).precomposedStringWithCanonicalMapping.unicodeScalars
      start = index + 1
    }
    return result
  }

  private static let markLimit = 256

  /// White space at both ends removed, in between as one space.
  private static func collapsed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var gap = false
    for scalar in text {
      if scalar.properties.isWhitespace {
        gap = !result.isEmpty
        continue
      }
      if gap { result.append(" ") }
      gap = false
      result.append(scalar)
    }
    return result
  }

  /// Full lower-case mapping, with ς for a sigma that ends a word (Unicode, SpecialCasing: Final_Sigma).
  private static func lowercased(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    // Whether the nearest character before that is not case-ignorable is cased.
    var followsCased = false
    for (index, scalar) in text.enumerated() {
      if scalar.isASCII {
        result.append((0x41...0x5A).contains(scalar.value) ? Unicode.Scalar(UInt8(scalar.value | 0x20)) : scalar)
      } else if scalar == "Σ" {
        let next = text[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        let isFinal = followsCased && !(next?.properties.isCased ?? false)
        result.append(isFinal ? "ς" : "σ")
      } else {
        result += scalar.properties.lowercaseMapping.unicodeScalars
      }
      if !scalar.properties.isCaseIgnorable { followsCased = scalar.properties.isCased }
    }
    return result
  }

  private static func string(_ scalars: [Unicode.Scalar]) -> String { String(String.UnicodeScalarView(scalars)) }
}
