/// A Huffman-coded deflate block: its two prefix codes, and the loop that expands it (RFC 1951, section 3.2.5–3.2.7).
struct InflateBlock {
  private let literals: InflateTable
  private let distances: InflateTable
  private let fast: InflateFastLoop

  /// The block type 1, whose codes are given by the format.
  static func fixed() throws(InflateError) -> InflateBlock {
    let lengths: [UInt8] =
      Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112) + Array(repeating: 7, count: 24)
      + Array(repeating: 8, count: 8)
    return try InflateBlock(lengths: lengths + Array(repeating: 5, count: 32), literals: lengths.count)
  }

  /// The block type 2, whose codes precede its data.
  init(readingFrom reader: inout InflateReader) throws(InflateError) {
    reader.refill()
    let literals = reader.take(5) + 257
    let distances = reader.take(5) + 1
    let codes = reader.take(4) + 4
    guard literals <= 286, distances <= 30 else {
      throw .block(
        expected: "at most 286 literal and 30 distance codes", found: "\(literals) and \(distances)")
    }
    var codeLengths = [UInt8](repeating: 0, count: 19)
    for index in 0..<codes {
      reader.refill()
      codeLengths[Self.codeLengthOrder[index]] = UInt8(reader.take(3))
    }
    let table = try InflateTable(lengths: codeLengths[...], lookahead: 7, named: "code lengths")
    var lengths: [UInt8] = []
    while lengths.count < literals + distances {
      reader.refill()
      guard let symbol = table.next(from: &reader) else {
        throw .block(expected: "a code length", found: "a word outside the code")
      }
      switch symbol {
      case 0..<16: lengths.append(UInt8(symbol))
      case 16:
        guard let previous = lengths.last else {
          throw .block(expected: "a code length to repeat", found: "none")
        }
        lengths += repeatElement(previous, count: 3 + reader.take(2))
      case 17: lengths += repeatElement(0, count: 3 + reader.take(3))
      default: lengths += repeatElement(0, count: 11 + reader.take(7))
      }
      if reader.isPastEnd { throw .truncated }
    }
    guard lengths.count == literals + distances else {
      throw .block(expected: "\(literals + distances) code lengths", found: "\(lengths.count)")
    }
    guard lengths[256] > 0 else { throw .block(expected: "a code for the end of the block", found: "none") }
    try self.init(lengths: lengths, literals: literals)
  }

  private init(lengths: [UInt8], literals count: Int) throws(InflateError) {
    literals = try InflateTable(
      lengths: lengths[..<count], lookahead: InflateFastLoop.literalLookahead, named: "literals")
    distances = try InflateTable(
      lengths: lengths[count...], lookahead: InflateFastLoop.distanceLookahead, named: "distances")
    fast = InflateFastLoop(literals: literals, distances: distances)
  }

  /// Expands the block; false when the output reached its limit.
  ///
  /// The fast loop goes as far as it can; this one then decodes the symbol at which it stopped, with every check.
  ///
  /// - isCareful: true to skip the fast loop.
  func inflate(
    _ reader: inout InflateReader, into output: inout InflateOutput, isCareful: Bool
  ) throws(InflateError) -> Bool {
    // The loop works on copies, which stay in registers; the output learns of them when it must grow, and at the end.
    var bits = reader
    var base = output.base
    var room = output.capacity
    var count = output.count
    defer {
      reader = bits
      output.count = count
    }
    let lengthTable = Self.lengths
    let distanceTable = Self.distances
    while true {
      if !isCareful { fast.inflate(&bits, into: base, count: &count, capacity: room) }
      bits.refill()
      guard let symbol = literals.next(from: &bits) else {
        throw .block(expected: "a literal or length", found: "a word outside the code")
      }
      if symbol < 256 {
        if bits.isPastEnd { throw .truncated }
        if count == room {
          output.count = count
          guard try output.reserve(1) else { return false }
          (base, room, count) = (output.base, output.capacity, output.count)
        }
        base[count] = UInt8(truncatingIfNeeded: symbol)
        count &+= 1
        continue
      }
      if symbol == 256 { return true }
      guard symbol < 286 else { throw .block(expected: "a length symbol below 286", found: "\(symbol)") }
      let lengthEntry = lengthTable[symbol &- 257]
      // At most 15 + 5 + 15 + 13 = 48 bits per match: the refill above covers it.
      let length = Int(lengthEntry.base) &+ bits.take(Int(lengthEntry.extra))
      guard let distanceSymbol = distances.next(from: &bits) else {
        throw .block(expected: "a distance", found: "a word outside the code")
      }
      guard distanceSymbol < 30 else {
        throw .block(expected: "a distance symbol below 30", found: "\(distanceSymbol)")
      }
      let distanceEntry = distanceTable[distanceSymbol]
      let distance = Int(distanceEntry.base) &+ bits.take(Int(distanceEntry.extra))
      if bits.isPastEnd { throw .truncated }
      guard distance <= count else {
        throw .block(expected: "a distance of at most \(count)", found: "\(distance)")
      }
      let fitting = min(length, output.limit - count)
      if fitting > room - count {
        output.count = count
        guard try output.reserve(fitting) else { return false }
        (base, room, count) = (output.base, output.capacity, output.count)
      }
      let target = base + count
      let source = target - distance
      // A match may overlap what it writes: the bytes must go one by one, in order.
      for index in 0..<fitting { target[index] = source[index] }
      count &+= fitting
      guard fitting == length else { return false }
    }
  }

  /// A symbol for a range: its first value, and the number of extra bits that select one.
  struct Extended {
    let base: UInt16
    let extra: UInt8
  }

  /// The order in which the lengths of the code for code lengths are written.
  static let codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  /// Symbols 257...285: lengths 3...258. Groups of four share a number of extra bits; 258 has a symbol of its own.
  static let lengths: [Extended] = {
    var table = (0..<8).map { Extended(base: UInt16(3 + $0), extra: 0) }
    for extra in 1...5 {
      for step in 0..<4 { table.append(Extended(base: UInt16(3 + (4 + step) << extra), extra: UInt8(extra))) }
    }
    table.append(Extended(base: 258, extra: 0))
    return table
  }()

  /// Symbols 0...29: distances 1...32768, two symbols per number of extra bits.
  static let distances: [Extended] = {
    var table = (0..<4).map { Extended(base: UInt16(1 + $0), extra: 0) }
    for extra in 1...13 {
      for step in 0..<2 { table.append(Extended(base: UInt16(1 + (2 + step) << extra), extra: UInt8(extra))) }
    }
    return table
  }()
}
