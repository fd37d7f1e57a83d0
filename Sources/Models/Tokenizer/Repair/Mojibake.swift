/// Undoes wrong decodings: UTF-8 that was read as Latin-1, a Windows or Mac set, once or several times over.
///
/// Follows the published behaviour of ftfy 6.3 (Speer 2019): a text is touched only if it looks wrong
/// (`MojibakeSigns`), and is re-encoded as a whole if one set can, else in those stretches that read as UTF-8.
enum Mojibake {
  /// The encodings, in the order in which they are tried.
  private static let encodings: [SingleByteEncoding] = [
    .latin1, .windows1252, .windows1251, .windows1250, .windows1253, .windows1254, .windows1257, .latin2, .macRoman,
    .codePage437,
  ]

  /// Each pass at least halves what it re-reads, so honest texts need a few; the bounds are for hostile ones.
  private static let passLimit = 64
  private static let depthLimit = 16

  /// `text` with wrong decodings undone until nothing changes.
  static func repaired(_ text: [Unicode.Scalar], depth: Int = 0) -> [Unicode.Scalar] {
    var text = text
    for _ in 0..<passLimit {
      let next = step(text, depth)
      if next == text { break }
      text = next
    }
    return text
  }

  /// C1 controls read as the Windows-1252 characters of the same bytes, as browsers do.
  static func withoutControls(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    text.map { isControl($0) ? SingleByteEncoding.windows1252.scalar(for: UInt8($0.value)) : $0 }
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool { (0x80...0x9F).contains(scalar.value) }

  private static func step(_ text: [Unicode.Scalar], _ depth: Int) -> [Unicode.Scalar] {
    guard text.contains(where: { !$0.isASCII }), MojibakeSigns.shared.isBad(text) else { return text }
    var isLatin1 = false
    for encoding in encodings {
      guard var bytes = encoding.encoded(text) else { continue }
      if encoding.name == "latin-1" { isLatin1 = true }
      // In Mac Roman byte CA is an en dash's neighbour too often: spaces stay spaces there.
      if encoding.name != "macroman" { bytes = AlteredUTF8.restoringSpaces(bytes) }
      if encoding.substitutes { bytes = AlteredUTF8.replacingLosses(bytes) }
      if let decoded = AlteredUTF8.decoded(bytes) { return decoded }
    }
    let patched = repairedInPlaces(text, depth)
    if patched != text { return patched }
    // Latin-1 with controls was Windows-1252; five bytes of that set have no character.
    let holes: Set<UInt32> = [0x81, 0x8D, 0x8F, 0x90, 0x9D]
    if isLatin1, !text.contains(where: { holes.contains($0.value) }) {
      let fixed = withoutControls(text)
      if fixed != text { return fixed }
    }
    return withoutControls(text)
  }

  /// Repairs only the stretches that would read as UTF-8, where the text around them is in order.
  private static func repairedInPlaces(_ text: [Unicode.Scalar], _ depth: Int) -> [Unicode.Scalar] {
    guard depth < depthLimit else { return text }
    let bytes = LeadBytes.shared
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      var end = index
      if index == 0 || !bytes.strictContinuations.contains(text[index - 1]) {
        while end < text.count, let length = bytes.sequenceLengths[text[end]], end + length <= text.count,
          text[(end + 1)..<(end + length)].allSatisfy(bytes.continuations.contains)
        {
          end += length
        }
      }
      guard end > index else {
        result.append(text[index])
        index += 1
        continue
      }
      let stretch = Array(text[index..<end])
      let isPart = stretch.count < text.count && MojibakeSigns.shared.isBad(stretch)
      result += isPart ? repaired(stretch, depth: depth + 1) : stretch
      index = end
    }
    return result
  }
}

/// The characters that are the first byte of a UTF-8 sequence, or a later one, in any of the Western single-byte sets.
private struct LeadBytes {
  var sequenceLengths: [Unicode.Scalar: Int] = [:]
  /// Bytes 80 to BF, and the space that often stands for byte A0.
  var continuations: Set<Unicode.Scalar> = [" "]
  /// Those that are rarely meant literally: without dashes, quotes, bullet and ellipsis.
  var strictContinuations: Set<Unicode.Scalar> = []

  static let shared = LeadBytes()

  private init() {
    let sets: [SingleByteEncoding] = [
      .latin1, .windows1252, .windows1250, .windows1251, .windows1253, .windows1254, .windows1257,
    ]
    for set in sets {
      for byte in UInt8(0x80)...0xBF { continuations.insert(set.scalar(for: byte)) }
      for byte in UInt8(0xC2)...0xDF { sequenceLengths[set.scalar(for: byte)] = 2 }
      for byte in UInt8(0xE0)...0xEF { sequenceLengths[set.scalar(for: byte)] = 3 }
      // Planes above 1, except for the tags of E0000, hold nothing that text uses.
      for byte: UInt8 in [0xF0, 0xF3] { sequenceLengths[set.scalar(for: byte)] = 4 }
    }
    strictContinuations = continuations.subtracting(" –—―‘’‚“”„•…".unicodeScalars)
  }
}
