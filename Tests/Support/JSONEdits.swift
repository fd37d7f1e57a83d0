/// The numbers of a JSON text, each replaced by what nobody expects in its place: made from the text itself, so that
/// fields that are added later are covered.
package enum JSONEdits {
  /// What each number is replaced by; an empty text leaves it out, with its key.
  package static let replacements = [
    "-9223372036854775808", "9223372036854775808", "9223372036854775807", "0", "-1", "1e308", "null", "\"x\"", "",
  ]

  /// The edited texts and what was done; of many numbers, some that are spread evenly.
  package static func all(of text: [UInt8], numbers most: Int = 80) -> [(what: String, text: [UInt8])] {
    let found = numbers(of: text)
    let step = max(1, (found.count + most - 1) / most)
    return stride(from: 0, to: found.count, by: step).flatMap { index in
      let range = found[index]
      return replacements.map { new in
        let place = new.isEmpty ? whole(range, in: text) : range
        let start = String(decoding: text[max(0, range.lowerBound - 40)..<range.lowerBound], as: UTF8.self)
        return (
          "…\(start)[\(new)]", Array(text[..<place.lowerBound]) + Array(new.utf8) + Array(text[place.upperBound...])
        )
      }
    }
  }

  /// The ranges of all numbers outside of strings.
  package static func numbers(of text: [UInt8]) -> [Range<Int>] {
    var (ranges, position, isString) = ([Range<Int>](), 0, false)
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: "\\") where isString: position += 1
      case UInt8(ascii: "\""): isString.toggle()
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        guard !isString else { break }
        let start = position
        while position + 1 < text.count, "0123456789+-.eE".utf8.contains(text[position + 1]) { position += 1 }
        ranges.append(start..<position + 1)
      default: break
      }
      position += 1
    }
    return ranges
  }

  /// A number with its key, if it has one, and a comma.
  private static func whole(_ range: Range<Int>, in text: [UInt8]) -> Range<Int> {
    func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x0A, 0x0D, 0x09].contains(byte) }
    var (start, end) = (range.lowerBound, range.upperBound)
    func back() { while start > 0, isSpace(text[start - 1]) { start -= 1 } }
    back()
    if start > 0, text[start - 1] == UInt8(ascii: ":") {
      start -= 1
      back()
      start -= 1
      while start > 0, text[start - 1] != UInt8(ascii: "\"") { start -= 1 }
      start = max(0, start - 1)
      back()
    }
    var after = end
    while after < text.count, isSpace(text[after]) { after += 1 }
    if after < text.count, text[after] == UInt8(ascii: ",") {
      end = after + 1
    } else if start > 0, text[start - 1] == UInt8(ascii: ",") {
      start -= 1
    }
    return start..<end
  }
}
