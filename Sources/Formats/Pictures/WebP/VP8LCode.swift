/// A prefix code of a VP8L stream: canonical, with lengths of at most 15 bits (RFC 9649, section 3.7.2).
///
/// It only points at its tables, so that reading a pixel counts no references; `VP8LTables` owns them.
struct VP8LCode {
  private static let fastBits = 8
  private static let longest = 15
  private static let (firstOffset, startOffset, symbolOffset) = (256, 256 + 17, 256 + 34)

  /// 256 symbols by the next 8 bits, each with the length of its code in the low 4 bits, or 0 where the code is longer;
  /// the first code of each length; the index of its symbol; the symbols in the order of their codes.
  private let table: UnsafeMutablePointer<UInt16>?
  /// The symbol of a code that has only one, and so no bits and no table.
  private let only: Int

  /// A code of one symbol.
  init(only symbol: Int) { (table, only) = (nil, symbol) }

  /// The code of the given lengths, by symbol; 0 for a symbol that does not occur.
  ///
  /// - Throws: if the lengths make no complete code.
  init(lengths: [UInt8], in tables: VP8LTables) throws(ImageError.Problem) {
    var counts = [Int](repeating: 0, count: Self.longest + 1)
    for length in lengths { counts[Int(length)] += 1 }
    counts[0] = 0
    let used = counts.reduce(0, +)
    if used == 1, let symbol = lengths.firstIndex(where: { $0 > 0 }) {
      (table, only) = (nil, symbol)
      return
    }
    var first = [Int](repeating: 0, count: Self.longest + 2)
    var start = first
    var code = 0
    for length in 1...Self.longest {
      code = (code + counts[length - 1]) << 1
      first[length] = code
      start[length + 1] = start[length] + counts[length]
      guard code + counts[length] <= 1 << length else {
        throw .malformed(expected: "a complete prefix code", found: "too many codes of \(length) bits")
      }
    }
    guard used > 0, code + counts[Self.longest] == 1 << Self.longest else {
      throw .malformed(expected: "a complete prefix code", found: "one with gaps")
    }
    let table = try tables.allocate(Self.symbolOffset + used)
    for length in 0...Self.longest + 1 {
      table[Self.firstOffset + length] = UInt16(first[length])
      table[Self.startOffset + length] = UInt16(start[length])
    }
    var next = start
    for (symbol, length) in lengths.enumerated() where length > 0 {
      table[Self.symbolOffset + next[Int(length)]] = UInt16(symbol)
      next[Int(length)] += 1
    }
    for length in 1...Self.fastBits {
      for index in 0..<counts[length] {
        let symbol = table[Self.symbolOffset + start[length] + index]
        Self.fill(table, code: first[length] + index, length, symbol << 4 | UInt16(length))
      }
    }
    (self.table, only) = (table, 0)
  }

  /// The bits of a code arrive from its highest on, so the table is indexed by reversed codes.
  private static func fill(_ table: UnsafeMutablePointer<UInt16>, code: Int, _ length: Int, _ entry: UInt16) {
    var reversed = 0
    for bit in 0..<length where code >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
    for slot in stride(from: reversed, to: 1 << fastBits, by: 1 << length) { table[slot] = entry }
  }

  /// The next symbol.
  @inline(__always)
  func next(_ reader: inout VP8LBitReader) throws(ImageError.Problem) -> Int {
    guard let table else { return only }
    let bits = reader.peek()
    let entry = table[Int(bits & 0xFF)]
    guard entry == 0 else {
      try reader.skip(Int(entry & 15))
      return Int(entry >> 4)
    }
    return try Self.long(bits, table, &reader)
  }

  private static func long(
    _ bits: UInt32, _ table: UnsafeMutablePointer<UInt16>, _ reader: inout VP8LBitReader
  ) throws(ImageError.Problem) -> Int {
    var code = 0
    for length in 1...longest {
      code = code << 1 | Int(bits >> UInt32(length - 1) & 1)
      let index = code - Int(table[firstOffset + length])
      let start = Int(table[startOffset + length])
      if index >= 0, index < Int(table[startOffset + length + 1]) - start {
        try reader.skip(length)
        return Int(table[symbolOffset + start + index])
      }
    }
    throw .malformed(expected: "a code of at most \(longest) bits", found: "none")
  }
}

/// The memory of the tables of codes, as long as it lives.
///
/// A picture may have 65,536 regions of their own codes and name codes that no region uses: a file of one pixel could
/// take hundreds of megabytes. libwebp writes at most 2600 regions, whose largest tables take 24 MB.
final class VP8LTables {
  private static let maximumBytes = 32 << 20
  private var bytes = 0
  private var blocks: [UnsafeMutablePointer<UInt16>] = []

  /// Zeroed memory.
  func allocate(_ count: Int) throws(ImageError.Problem) -> UnsafeMutablePointer<UInt16> {
    bytes += count * MemoryLayout<UInt16>.stride
    guard bytes <= Self.maximumBytes else {
      throw .tooLarge(expected: "prefix codes of at most \(Self.maximumBytes) bytes", found: "more")
    }
    let block = UnsafeMutablePointer<UInt16>.allocate(capacity: count)
    block.initialize(repeating: 0, count: count)
    blocks.append(block)
    return block
  }

  deinit { for block in blocks { block.deallocate() } }
}
