/// A Huffman table of a JPEG file (ITU-T T.81, annexes C and F.2.2.3), laid out for decoding.
///
/// The next ten bits of the stream select an entry that gives a code's length and symbol. When the extra bits
/// that follow the code fit in the ten as well, the entry also holds the signed value they stand for, so that
/// most coefficients cost one look-up. Longer codes are found by comparing with the largest code of each length.
final class JPEGHuffmanTable {
  static let lookahead = 10

  /// An unowned view of the table, for the inner loops.
  struct View {
    fileprivate let entries: UnsafeMutablePointer<Int32>
    fileprivate let ceilings: UnsafeMutablePointer<Int32>
    fileprivate let ranks: UnsafeMutablePointer<Int32>
    fileprivate let symbols: UnsafeMutablePointer<UInt8>
  }

  /// Valid as long as the table lives.
  var view: View { View(entries: entries, ceilings: ceilings, ranks: ranks, symbols: symbols) }

  /// Bits 0–7: bits to drop (code, and extra bits if the value is included), 0 for a code above ten bits.
  /// Bits 8–11: number of extra bits. Bits 12–15: zero run. Bits 16–31: the value, 0 if it is not included.
  private let entries: UnsafeMutablePointer<Int32>
  /// `ceilings[l]`: one more than the largest code of at most l bits, moved up to 16 bits. Ends with 2¹⁶ at 17.
  private let ceilings: UnsafeMutablePointer<Int32>
  /// `ranks[l]`: the offset from a code of l bits to its index in `symbols`.
  private let ranks: UnsafeMutablePointer<Int32>
  private let symbols: UnsafeMutablePointer<UInt8>

  /// - counts: the number of codes of length 1...16; symbols: in order of their codes.
  init(counts: [UInt8], symbols values: [UInt8]) throws(ImageError.Problem) {
    entries = .allocate(capacity: 1 << Self.lookahead)
    entries.initialize(repeating: 0, count: 1 << Self.lookahead)
    ceilings = .allocate(capacity: 18)
    ceilings.initialize(repeating: 0, count: 18)
    ranks = .allocate(capacity: 18)
    ranks.initialize(repeating: 0, count: 18)
    symbols = .allocate(capacity: 256)
    symbols.initialize(repeating: 0, count: 256)
    for (index, symbol) in values.enumerated() { symbols[index] = symbol }

    var code = 0
    var rank = 0
    for (index, count) in counts.enumerated() {
      let length = index + 1
      guard code + Int(count) <= 1 << length else {
        throw .malformed(expected: "a Huffman table", found: "too many codes of \(length) bits")
      }
      ranks[length] = Int32(rank - code)
      for _ in 0..<count {
        if length <= Self.lookahead { enter(code, length: length, symbol: symbols[rank]) }
        code += 1
        rank += 1
      }
      ceilings[length] = Int32(code << (16 - length))
      code <<= 1
    }
    ceilings[17] = 1 << 16
  }

  deinit {
    entries.deallocate()
    ceilings.deallocate()
    ranks.deallocate()
    symbols.deallocate()
  }

  private func enter(_ code: Int, length: Int, symbol: UInt8) {
    let free = Self.lookahead - length
    let size = Int(symbol & 15)
    let run = Int(symbol >> 4)
    for rest in 0..<1 << free {
      var entry = length | size << 8 | run << 12
      if size > 0, size <= free {
        let extra = rest >> (free - size)
        let value = extra < 1 << (size - 1) ? extra - (1 << size) + 1 : extra
        entry += size + value << 16
      }
      entries[code << free | rest] = Int32(truncatingIfNeeded: entry)
    }
  }
}

extension JPEGHuffmanTable.View {
  /// The entry of the next ten bits, in the layout of `JPEGHuffmanTable.entries`.
  @inline(__always)
  func entry(_ bits: UInt64) -> Int32 { entries[Int(truncatingIfNeeded: bits >> 54)] }

  /// The symbol of a code above ten bits and its length; symbol 0 after all sixteen bits for a word that is none.
  @inline(never)
  func longCode(_ bits: UInt64) -> (symbol: Int32, length: Int) {
    let word = Int32(truncatingIfNeeded: bits >> 48)
    var length = JPEGHuffmanTable.lookahead + 1
    while word >= ceilings[length] { length += 1 }
    guard length <= 16 else { return (0, 16) }
    return (Int32(symbols[Int(word >> Int32(16 - length) + ranks[length]) & 255]), length)
  }

  /// Takes a code; the reader must hold 16 bits. Symbol 0 for a word that is no code, as in libjpeg.
  @inline(__always)
  func takeSymbol(from reader: inout JPEGBitReader) -> Int32 {
    let entry = entry(reader.bits)
    let length = Int(entry & 255)
    if length == 0 {
      let (symbol, length) = longCode(reader.bits)
      reader.drop(length)
      return symbol
    }
    let size = entry >> 8 & 15
    // The length of an entry with a value counts the value's bits too.
    reader.drop(entry >> 16 == 0 ? length : length &- Int(size))
    return entry >> 8 & 255
  }

  /// Takes a DC difference: a size, then as many bits (F.2.2.1).
  @inline(__always)
  func takeDifference(from reader: inout JPEGBitReader) -> Int32 {
    let entry = entry(reader.bits)
    let value = entry >> 16
    if value != 0 {
      reader.drop(Int(entry & 255))
      return value
    }
    let size = Int(takeSymbol(from: &reader) & 15)
    return size == 0 ? 0 : reader.takeSigned(size)
  }
}
