/// The fast loop over a Huffman-coded deflate block: several literals per look-up, matches copied in wide pieces.
///
/// It runs only where neither the compressed data nor the output space can end within a step, knows only codes that
/// fit into its tables, and stops before anything else without consuming it, so that the caller decodes the next
/// symbol with every check. Its output is the same.
struct InflateFastLoop {
  /// Bits of the stream that one look-up sees.
  static let literalLookahead = 11
  static let distanceLookahead = 9

  /// Indexed by the next bits of the stream. Bits 0–3: bits to drop, 0 for what is left to the careful loop. Bits 4–5:
  /// how many literals (at most three), which are in bits 8–31. Without literals, a length: its extra bits (8–15) and
  /// base (16–31).
  private let literals: [UInt32]
  /// Bits 0–3: bits to drop, 0 as above. Bits 8–15: extra bits of a distance; bits 16–31: its base.
  private let distances: [UInt32]

  init(literals: InflateTable, distances: InflateTable) {
    self.literals = Self.literals(of: literals)
    self.distances = Self.entries(of: distances, first: 0, ranges: InflateBlock.distances)
  }

  /// The most bytes a step may write: three look-ups of literals, the longest match, and the excess of both.
  private static let stepRoom = 3 * 3 + 1 + 258 + 16

  /// Decodes symbols as long as it can; `count` bytes of the `capacity` at `base` are written before and after.
  func inflate(
    _ reader: inout InflateReader, into base: UnsafeMutablePointer<UInt8>, count: inout Int, capacity: Int
  ) {
    let last = capacity - Self.stepRoom
    guard count <= last else { return }
    // Copies, which stay in registers.
    var bits = reader
    var position = count
    literals.withUnsafeBufferPointer { literals in
      distances.withUnsafeBufferPointer { distances in
        let literals = literals.baseAddress!
        let distances = distances.baseAddress!
        while position <= last, bits.isFarFromEnd {
          bits.refillFarFromEnd()
          // At most 3 · 11 of the 56 bits.
          var entry = literals[bits.peek(Self.literalLookahead)]
          if Self.isLiteral(entry) {
            Self.put(entry, base, &position, &bits)
            entry = literals[bits.peek(Self.literalLookahead)]
            if Self.isLiteral(entry) {
              Self.put(entry, base, &position, &bits)
              entry = literals[bits.peek(Self.literalLookahead)]
              if Self.isLiteral(entry) {
                Self.put(entry, base, &position, &bits)
                continue
              }
            }
            bits.refillFarFromEnd()
          }
          if entry == 0 { break }
          // At most 11 + 5 + 9 + 13 bits.
          let start = bits
          bits.drop(Int(entry & 15))
          let length = Int(entry >> 16) &+ bits.take(Int(entry >> 8 & 255))
          let far = distances[bits.peek(Self.distanceLookahead)]
          bits.drop(Int(far & 15))
          let distance = Int(far >> 16) &+ bits.take(Int(far >> 8 & 255))
          if far == 0 || distance > position {
            bits = start
            break
          }
          Self.copy(length, from: distance, to: base + position)
          position &+= length
        }
      }
    }
    reader = bits
    count = position
  }

  @inline(__always)
  private static func isLiteral(_ entry: UInt32) -> Bool { entry & 0x30 != 0 }

  /// Writes the literals of an entry, four bytes wide.
  @inline(__always)
  private static func put(
    _ entry: UInt32, _ base: UnsafeMutablePointer<UInt8>, _ position: inout Int, _ bits: inout InflateReader
  ) {
    UnsafeMutableRawPointer(base + position).storeBytes(of: (entry >> 8).littleEndian, as: UInt32.self)
    position &+= Int(entry >> 4 & 3)
    bits.drop(Int(entry & 15))
  }

  /// Repeats `length` bytes from `distance` before `target`, and writes up to 16 more.
  @inline(__always)
  private static func copy(_ length: Int, from distance: Int, to target: UnsafeMutablePointer<UInt8>) {
    let end = target + length
    var target = target
    var source = UnsafePointer(target - distance)
    if distance < 8 {
      // Eight bytes one by one; what follows repeats them at the smallest multiple of the distance that is 8 or more.
      for index in 0..<8 { target[index] = source[index] }
      target += 8
      source = UnsafePointer(target - (7 / distance + 1) * distance)
    } else {
      copyEight(source, target)
      copyEight(source + 8, target + 8)
      target += 16
      source += 16
    }
    while target < end {
      copyEight(source, target)
      target += 8
      source += 8
    }
  }

  @inline(__always)
  private static func copyEight(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>) {
    UnsafeMutableRawPointer(target).storeBytes(
      of: UnsafeRawPointer(source).loadUnaligned(as: UInt64.self), as: UInt64.self)
  }

  /// The entries of literals and lengths, with as many literals in each as its bits hold.
  private static func literals(of table: InflateTable) -> [UInt32] {
    var entries = entries(of: table, first: 257, ranges: InflateBlock.lengths)
    entries.withUnsafeMutableBufferPointer { entries in
      // From the end, as the bits after a literal select an entry further ahead, which must hold one literal still.
      for index in stride(from: entries.count - 1, through: 0, by: -1) {
        var entry = entries[index]
        guard isLiteral(entry) else { continue }
        for shift: UInt32 in [16, 24] {
          let length = entry & 15
          let next = entries[index >> Int(length)]
          guard isLiteral(next), length + next & 15 <= UInt32(literalLookahead) else { break }
          entry = (entry + 1 << 4 + next & 15) | (next >> 8) << shift
        }
        entries[index] = entry
      }
    }
    return entries
  }

  /// One symbol per entry: literals below 256 when `first` is above, and ranges from `first` on.
  private static func entries(
    of table: InflateTable, first: Int, ranges: [InflateBlock.Extended]
  ) -> [UInt32] {
    table.entries.map { entry in
      let symbol = Int(entry >> 4)
      let length = UInt32(entry & 15)
      if symbol < min(first, 256) { return length == 0 ? 0 : length | 1 << 4 | UInt32(symbol) << 8 }
      guard length > 0, ranges.indices ~= symbol - first else { return 0 }
      let range = ranges[symbol - first]
      return length | UInt32(range.extra) << 8 | UInt32(range.base) << 16
    }
  }
}
