extension JSON {
  /// The first key that an object of a valid JSON text has twice, as it is written; `nil` if there is none.
  package static func repeatedKey(in text: [UInt8]) -> String? {
    /// The keys of the objects that are open; `nil` stands for an array.
    var open: [Set<ArraySlice<UInt8>>?] = []
    var (isKey, start) = (false, 0)
    var strings = JSONStrings()
    for (position, byte) in text.enumerated() {
      if strings.take(byte) {
        guard !strings.isOpen, isKey, !open.isEmpty else { continue }
        let key = text[start..<position]
        if open[open.count - 1]?.insert(key).inserted == false { return String(decoding: key, as: UTF8.self) }
        continue
      }
      switch byte {
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
      case UInt8(ascii: "\""): start = position + 1
      default: break
      }
    }
    return nil
  }
}
