/// The decoding table of one canonical prefix code of deflate (RFC 1951, section 3.2.2).
///
/// Codes of up to `lookahead` bits are read with one look-up of as many bits of the stream. The few longer ones
/// are found by their rank among the codes of each length, one bit at a time.
struct InflateTable {
  static let longestCode = 15

  let lookahead: Int
  /// Indexed by the next `lookahead` bits, first bit lowest: symbol · 16 + length, or 0 when the code is longer or
  /// absent.
  private(set) var entries: [UInt16]
  /// The number of codes of each length.
  private var counts = [Int32](repeating: 0, count: InflateTable.longestCode + 1)
  /// The symbols in order of their codes.
  private var symbols: [UInt16] = []

  /// The code whose symbol `i` has length `lengths[i]` (0: not used).
  ///
  /// - Throws: `InflateError.block` when the lengths claim more codes than exist, or leave some unused. The only
  ///   incomplete codes allowed are one 1-bit word and, for distances, the empty code.
  init(lengths: ArraySlice<UInt8>, lookahead: Int, named name: String) throws(InflateError) {
    self.lookahead = lookahead
    entries = [UInt16](repeating: 0, count: 1 << lookahead)
    for length in lengths { counts[Int(length)] += 1 }
    let used = Int32(lengths.count) - counts[0]
    counts[0] = 0
    var free: Int32 = 1
    for length in 1...Self.longestCode {
      free = free * 2 - counts[length]
      guard free >= 0 else {
        throw .block(expected: "a prefix code for \(name)", found: "too many codes of \(length) bits")
      }
    }
    let single = used == 1 && counts[1] == 1
    guard free == 0 || single || used == 0 else {
      throw .block(expected: "a complete prefix code for \(name)", found: "unused codes")
    }

    var nextCode = [Int](repeating: 0, count: Self.longestCode + 2)
    var nextRank = [Int](repeating: 0, count: Self.longestCode + 2)
    for length in 1...Self.longestCode {
      nextCode[length + 1] = (nextCode[length] + Int(counts[length])) << 1
      nextRank[length + 1] = nextRank[length] + Int(counts[length])
    }
    symbols = [UInt16](repeating: 0, count: Int(used))
    let size = entries.count
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let length = Int(length)
      symbols[nextRank[length]] = UInt16(symbol)
      nextRank[length] += 1
      if length <= lookahead {
        var slot = Self.reversed(nextCode[length], length: length)
        while slot < size {
          entries[slot] = UInt16(symbol << 4 | length)
          slot += 1 << length
        }
      }
      nextCode[length] += 1
    }
  }

  /// Takes the next symbol from the stream; the reader must hold at least fifteen bits. Returns nil for a word
  /// that is not in the code.
  @inline(__always)
  func next(from reader: inout InflateReader) -> Int? {
    let entry = Int(entries[Int(truncatingIfNeeded: reader.bits & UInt64((1 << lookahead) - 1))])
    if entry != 0 {
      reader.drop(entry & 15)
      return entry >> 4
    }
    return nextLong(from: &reader)
  }

  @inline(never)
  private func nextLong(from reader: inout InflateReader) -> Int? {
    var code: Int32 = 0
    var first: Int32 = 0
    var rank: Int32 = 0
    for length in 1...Self.longestCode {
      code |= Int32(truncatingIfNeeded: reader.bits >> UInt64(length - 1) & 1)
      let count = counts[length]
      if code - first < count {
        reader.drop(length)
        return Int(symbols[Int(rank + code - first)])
      }
      rank += count
      first = (first + count) << 1
      code <<= 1
    }
    return nil
  }

  private static func reversed(_ code: Int, length: Int) -> Int {
    var result = 0
    for bit in 0..<length where code >> bit & 1 == 1 { result |= 1 << (length - 1 - bit) }
    return result
  }
}
