import Tensor

/// The search for repetitions (LZ77): input → literals and references, one block at a time.
///
/// Positions whose next three bytes have the same hash form a chain, the latest first; the longest match among the
/// first `chain` of them is used. It waits one byte if the next position has a longer one.
struct DeflateMatcher {
  /// A literal byte, or a match: `length` bytes that also occur `distance` before.
  struct Token {
    /// 3...258, or 1 for a literal.
    let length: UInt16
    /// 1...32768; for a literal, its byte.
    let value: UInt16

    var isLiteral: Bool { length == 1 }
  }

  /// A piece of the input.
  struct Block {
    let tokens: [Token]
    let range: Range<Int>
  }

  private static let window = 1 << 15
  private static let shortest = 3
  private static let longest = 258
  /// The number of positions searched in a chain: 128 made contact sheets 0.3 % smaller than 32 did.
  private static let chain = 128
  /// A match of this length ends the search, and is not dropped for a later one.
  private static let sufficient = 64

  private let source: UnsafeBufferPointer<UInt8>
  /// The latest position of each hash, or -1.
  private var heads: [Int32]
  /// The previous position with the same hash, or -1: [window], by the position's lowest bits.
  private var previous: [Int32]
  private var position = 0
  /// Positions before this one are in their chains.
  private var entered = 0

  /// A search from the beginning of `source`, which must outlive it.
  init(_ source: UnsafeBufferPointer<UInt8>) {
    require(source.count <= Int32.max, "Deflate: expected fewer than 2^31 bytes, found \(source.count)")
    self.source = source
    heads = [Int32](repeating: -1, count: 1 << Self.hashBits)
    previous = [Int32](repeating: -1, count: min(Self.window, max(1, source.count)))
  }

  var isAtEnd: Bool { position == source.count }

  /// The next block, of at most `limit` bytes.
  mutating func next(upTo limit: Int) -> Block {
    let start = position
    let end = min(source.count, start + limit)
    var tokens: [Token] = []
    tokens.reserveCapacity((end - start) / 2)
    var found: (length: Int, distance: Int)? = nil
    while position < end {
      let here = found ?? match(at: position, end: end)
      found = nil
      guard here.length >= Self.shortest else {
        tokens.append(Token(length: 1, value: UInt16(source[position])))
        position += 1
        continue
      }
      if here.length < Self.sufficient, position + 1 < end {
        let later = match(at: position + 1, end: end)
        if later.length > here.length {
          tokens.append(Token(length: 1, value: UInt16(source[position])))
          position += 1
          found = later
          continue
        }
      }
      tokens.append(Token(length: UInt16(here.length), value: UInt16(here.distance)))
      position += here.length
    }
    return Block(tokens: tokens, range: start..<end)
  }

  /// The longest match at `index` that ends before `end`; the nearest of equals. Length 0 if there is none.
  private mutating func match(at index: Int, end: Int) -> (length: Int, distance: Int) {
    enter(upTo: index)
    let most = min(Self.longest, end - index)
    guard most >= Self.shortest else { return (0, 0) }
    var best = (length: Self.shortest - 1, distance: 0)
    var candidate = Int(heads[hash(at: index)])
    let mask = previous.count == Self.window ? Self.window - 1 : Int.max
    var looked = 0
    while candidate >= 0, index - candidate <= Self.window, looked < Self.chain {
      // A longer match must agree in the byte after the best one.
      if source[candidate + best.length] == source[index + best.length] {
        var length = 0
        while length < most, source[candidate + length] == source[index + length] { length &+= 1 }
        if length > best.length {
          best = (length, index - candidate)
          if length == most || length >= Self.sufficient { break }
        }
      }
      candidate = Int(previous[candidate & mask])
      looked += 1
    }
    return best.distance > 0 ? best : (0, 0)
  }

  /// Adds the positions before `index` to their chains.
  private mutating func enter(upTo index: Int) {
    let last = min(index, source.count - Self.shortest + 1)
    let mask = previous.count == Self.window ? Self.window - 1 : Int.max
    while entered < last {
      let hash = hash(at: entered)
      previous[entered & mask] = heads[hash]
      heads[hash] = Int32(entered)
      entered += 1
    }
  }

  private static let hashBits = 13

  /// The upper bits of a product (Knuth 6.4) of the three bytes at `index`.
  @inline(__always)
  private func hash(at index: Int) -> Int {
    let bytes = UInt32(source[index]) | UInt32(source[index &+ 1]) &<< 8 | UInt32(source[index &+ 2]) &<< 16
    return Int((bytes &* 2_654_435_761) &>> UInt32(32 - Self.hashBits))
  }
}
