extension JSON {
  /// The first key that an object of a valid JSON text has twice, as it is written; `nil` if there is none.
  package static func repeatedKey(in text: [UInt8]) -> String? {
    /// The keys of the objects that are open; `nil` stands for an array.
    var open: [Set<ArraySlice<UInt8>>?] = []
    var isKey = false
    var position = 0
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: "{"):
        open.append([])
        isKey = true
      case UInt8(ascii: "["):
        open.append(nil)
        isKey = false
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        _ = open.popLast()
        isKey = false
      case UInt8(ascii: ","): isKey = open.last.map { $0 != nil } ?? false
      case UInt8(ascii: ":"): isKey = false
      case UInt8(ascii: "\""):
        let start = position + 1
        position = end(ofStringAt: start, text)
        guard isKey, !open.isEmpty else { break }
        let key = text[start..<position]
        if open[open.count - 1]?.insert(key).inserted == false { return String(decoding: key, as: UTF8.self) }
      default: break
      }
      position += 1
    }
    return nil
  }

  /// The position of the quote that ends a string.
  private static func end(ofStringAt start: Int, _ text: [UInt8]) -> Int {
    var position = start
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      position += text[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(position, text.count)
  }
}
