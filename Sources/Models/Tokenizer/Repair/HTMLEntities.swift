/// Character references of HTML: `&amp;`, `&#233;`, `&#xE9;`, and the malformed ones that browsers accept.
///
/// Two readers, because the published tokenizer uses both: the lenient one of the HTML standard (section 13.2.5.72 on),
/// and a strict one that acts only on references closed by a semicolon, so that `this&not that` stays as it is.
enum HTMLEntities {
  /// The names of the standard that end in a semicolon, without it.
  private static let closed: [String: [Unicode.Scalar]] = references.closed
  /// The names that are also valid without a semicolon.
  private static let open: Set<String> = references.open
  /// The closed names written in capitals, where that is no name itself: `&EACUTE;` is É.
  private static let capitalized: [String: [Unicode.Scalar]] = closed.reduce(into: [:]) { result, entry in
    guard !entry.key.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return }
    let name = entry.key.uppercased()
    guard closed[name] == nil, !(2...6).contains(where: { open.contains(String(name.prefix($0))) }) else { return }
    result[name] = entry.value.flatMap { $0.properties.uppercaseMapping.unicodeScalars }
  }

  private static let references: (closed: [String: [Unicode.Scalar]], open: Set<String>) = {
    var closed: [String: [Unicode.Scalar]] = [:]
    var open: Set<String> = []
    for entry in HTMLEntityNames.table.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      guard let mark = entry.firstIndex(where: { $0 == "=" || $0 == "!" }) else { continue }
      let name = String(entry[..<mark])
      let scalars = entry[entry.index(after: mark)...].split(separator: "+")
      closed[name] = scalars.compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }
      if entry[mark] == "!" { open.insert(name) }
    }
    return (closed, open)
  }()

  /// The number of known names, with and without semicolon counted separately (2231 in the standard).
  static var nameCount: Int { closed.count + open.count }

  /// Resolves every reference a browser would, semicolon or not; of an unknown name the longest known start counts.
  static func unescaped(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    replacing(in: text) { text, start in
      if text[start] == "#" { return number(text, start).map { ($0.scalars, $0.end) } }
      // A browser reads at most 32 characters of a name; all names are ASCII letters and digits.
      let end = alphanumerics(text, from: start, atMost: 32)
      let name = string(text[start..<end])
      if end < text.count, text[end] == ";", let scalars = closed[name] { return (scalars, end + 1) }
      for length in stride(from: min(name.utf8.count, 6), to: 1, by: -1) {
        let prefix = String(name.prefix(length))
        if open.contains(prefix), let scalars = closed[prefix] { return (scalars, start + length) }
      }
      return nil
    }
  }

  /// Resolves only references that end in a semicolon, and lower-case names written in capitals (`&NTILDE;`).
  static func unescapedStrictly(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    replacing(in: text) { text, start in
      let isNumber = text[start] == "#"
      let first = isNumber ? start + 1 : start
      let end = alphanumerics(text, from: first, atMost: 24)
      guard end > first, end < text.count, text[end] == ";" else { return nil }
      if isNumber {
        guard let (scalars, stop) = number(text, start), stop == end + 1, scalars != [";"] else { return nil }
        return (scalars, stop)
      }
      let name = string(text[first..<end])
      return (closed[name] ?? capitalized[name]).map { ($0, end + 1) }
    }
  }

  /// Calls `resolve` with the index after each ampersand; it answers with the replacement and where it ends.
  private static func replacing(
    in text: [Unicode.Scalar], _ resolve: ([Unicode.Scalar], Int) -> ([Unicode.Scalar], Int)?
  ) -> [Unicode.Scalar] {
    guard text.contains("&") else { return text }
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      if text[index] == "&", index + 1 < text.count, let (scalars, end) = resolve(text, index + 1) {
        result += scalars
        index = end
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  /// A numeric reference whose `#` is at `start`, with the corrections of the standard for forbidden code points.
  private static func number(_ text: [Unicode.Scalar], _ start: Int) -> (scalars: [Unicode.Scalar], end: Int)? {
    var index = start + 1
    let isHexadecimal = index < text.count && (text[index] == "x" || text[index] == "X")
    if isHexadecimal { index += 1 }
    let first = index
    var value: UInt32 = 0
    while index < text.count, text[index].isASCII,
      let digit = Character(text[index]).hexDigitValue, isHexadecimal || digit < 10
    {
      // Saturates above the last code point, so that no length overflows.
      value = min(value * (isHexadecimal ? 16 : 10) + UInt32(digit), 0x11_0000)
      index += 1
    }
    guard index > first else { return nil }
    if index < text.count, text[index] == ";" { index += 1 }
    return (scalars(for: value), index)
  }

  private static func scalars(for value: UInt32) -> [Unicode.Scalar] {
    switch value {
    case 0: return ["\u{FFFD}"]
    case 0x0D: return ["\r"]
    case 0x80...0x9F: return [SingleByteEncoding.windows1252.scalar(for: UInt8(value))]
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
    default:
      guard let scalar = Unicode.Scalar(value) else { return ["\u{FFFD}"] }
      return value & 0xFFFE == 0xFFFE ? [] : [scalar]
    }
  }

  private static func alphanumerics(_ text: [Unicode.Scalar], from start: Int, atMost limit: Int) -> Int {
    var end = start
    while end < text.count, end - start < limit {
      switch text[end] {
      case "0"..."9", "A"..."Z", "a"..."z": end += 1
      default: return end
      }
    }
    return end
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }
}
