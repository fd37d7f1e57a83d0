/// The prefix codes of a region of a VP8L image: green, red, blue, alpha, distance (RFC 9649, section 3.7.2).
struct VP8LCodes {
  let green, red, blue, alpha, distance: VP8LCode

  /// - cacheSize: the number of colours in the cache, which codes of green also stand for.
  init(_ reader: inout VP8LBitReader, cacheSize: Int, in tables: VP8LTables) throws(ImageError.Problem) {
    green = try Self.code(&reader, 256 + 24 + cacheSize, tables)
    red = try Self.code(&reader, 256, tables)
    blue = try Self.code(&reader, 256, tables)
    alpha = try Self.code(&reader, 256, tables)
    distance = try Self.code(&reader, 40, tables)
  }

  private static func code(
    _ reader: inout VP8LBitReader, _ alphabet: Int, _ tables: VP8LTables
  ) throws(ImageError.Problem) -> VP8LCode {
    guard try reader.flag() else { return try VP8LCode(lengths: lengths(&reader, alphabet), in: tables) }
    // One or two symbols, of which the first may be written with one bit.
    let isPair = try reader.flag()
    let first = try reader.bits(try reader.flag() ? 8 : 1)
    let second = try isPair ? reader.bits(8) : first
    guard max(first, second) < alphabet else {
      throw .malformed(expected: "a symbol below \(alphabet)", found: "\(max(first, second))")
    }
    guard first != second else { return VP8LCode(only: first) }
    var lengths = [UInt8](repeating: 0, count: alphabet)
    (lengths[first], lengths[second]) = (1, 1)
    return try VP8LCode(lengths: lengths, in: tables)
  }

  /// Lengths that are themselves coded: as a number, or as a repetition of the last one or of zero.
  private static func lengths(_ reader: inout VP8LBitReader, _ alphabet: Int) throws(ImageError.Problem) -> [UInt8] {
    let order = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    var own = [UInt8](repeating: 0, count: order.count)
    for index in 0..<(try reader.bits(4) + 4) { own[order[index]] = UInt8(try reader.bits(3)) }
    let tables = VP8LTables()
    defer { withExtendedLifetime(tables) {} }
    let code = try VP8LCode(lengths: own, in: tables)
    var left = alphabet
    if try reader.flag() {
      left = 2 + (try reader.bits(2 + 2 * (try reader.bits(3))))
      guard left <= alphabet else { throw .malformed(expected: "at most \(alphabet) code lengths", found: "\(left)") }
    }
    var lengths: [UInt8] = []
    lengths.reserveCapacity(alphabet)
    var last: UInt8 = 8
    while lengths.count < alphabet, left > 0 {
      left -= 1
      let symbol = try code.next(&reader)
      if symbol < 16 {
        lengths.append(UInt8(symbol))
        if symbol > 0 { last = UInt8(symbol) }
        continue
      }
      let (bits, least) = [(2, 3), (3, 3), (7, 11)][symbol - 16]
      let count = try reader.bits(bits) + least
      guard count <= alphabet - lengths.count else {
        throw .malformed(expected: "at most \(alphabet) code lengths", found: "\(lengths.count + count)")
      }
      lengths += repeatElement(symbol == 16 ? last : 0, count: count)
    }
    return lengths + [UInt8](repeating: 0, count: alphabet - lengths.count)
  }
}
