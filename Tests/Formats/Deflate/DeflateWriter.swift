import Tensor

@testable import Formats

/// Random deflate streams of every kind of block, and what they stand for: a writer that compresses nothing.
struct DeflateWriter {
  private(set) var bytes: [UInt8] = []
  private(set) var expected: [UInt8] = []
  private var bitCount = 0
  private var random: RandomStream

  /// - seed: of the stream; blocks: one letter each: s(tored), f(ixed), d(ynamic).
  init(seed: Int, blocks: String, symbols: Int = 300) {
    random = RandomStream(Random(seed: UInt64(seed), purpose: .augmentation))
    for (index, block) in blocks.enumerated() {
      put(index + 1 == blocks.count ? 1 : 0, 1)
      switch block {
      case "s": writeStored(symbols)
      case "f":
        put(1, 2)
        write(symbols, Code.fixed, Code(Array(repeating: 5, count: 32)))
      default:
        put(2, 2)
        writeDynamic(symbols)
      }
    }
  }

  /// A pattern of `distance` bytes, repeated by one match in a fixed block, and stored bytes that leave the fast loop
  /// room.
  init(pattern distance: Int) {
    random = RandomStream(Random(seed: 1, purpose: .augmentation))
    put(0, 1)
    put(1, 2)
    let literals = Code.fixed
    for byte in 1...distance {
      put(byte, literals)
      expected.append(UInt8(byte))
    }
    let reach = InflateBlock.distances.lastIndex { Int($0.base) <= distance }!
    put(285, literals)
    put(reach, Code(Array(repeating: 5, count: 32)))
    put(distance - Int(InflateBlock.distances[reach].base), Int(InflateBlock.distances[reach].extra))
    for _ in 0..<258 { expected.append(expected[expected.count - distance]) }
    put(256, literals)
    put(1, 1)
    writeStored(300)
  }

  /// The words of a canonical prefix code (RFC 1951, section 3.2.2).
  private struct Code {
    let lengths: [Int]
    var words: [Int] = []

    /// Of literals and lengths in blocks of type 1.
    static let fixed = Code((0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })

    init(_ lengths: [Int]) {
      self.lengths = lengths
      words = Array(repeating: 0, count: lengths.count)
      var next = 0
      for length in 1...15 {
        for symbol in lengths.indices where lengths[symbol] == length {
          words[symbol] = next
          next += 1
        }
        next <<= 1
      }
    }
  }

  private mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

  /// Lowest bit first.
  private mutating func put(_ value: Int, _ count: Int) {
    for bit in 0..<count {
      if bitCount % 8 == 0 { bytes.append(0) }
      bytes[bytes.count - 1] |= UInt8(value >> bit & 1) << UInt8(bitCount % 8)
      bitCount += 1
    }
  }

  /// A code word has its highest bit first.
  private mutating func put(_ symbol: Int, _ code: Code) {
    for bit in stride(from: code.lengths[symbol] - 1, through: 0, by: -1) { put(code.words[symbol] >> bit & 1, 1) }
  }

  private mutating func writeStored(_ count: Int) {
    put(0, 2)
    while bitCount % 8 != 0 { put(0, 1) }
    put(count, 16)
    put(count ^ 0xFFFF, 16)
    for _ in 0..<count {
      let byte = below(256)
      put(byte, 8)
      expected.append(UInt8(byte))
    }
  }

  /// Lengths of a complete code in which `used` symbols have a word: leaves of a tree that is split at random.
  private mutating func lengths(count: Int, used: [Int]) -> [Int] {
    var leaves = [0]
    while leaves.count < used.count {
      let leaf = below(4) == 0 ? below(leaves.count) : leaves.count - 1
      guard leaves[leaf] < 15 else {
        leaves.swapAt(leaf, below(leaves.count))
        continue
      }
      leaves[leaf] += 1
      leaves.append(leaves[leaf])
    }
    var lengths = Array(repeating: 0, count: count)
    for (symbol, length) in zip(used, leaves) { lengths[symbol] = length }
    return lengths
  }

  private mutating func writeDynamic(_ symbols: Int) {
    var used = (0..<286).filter { _ in below(3) == 0 }
    used = Set(used + [0, 256, 257 + below(29)]).sorted()
    for position in used.indices { used.swapAt(position, below(used.count)) }
    let literals = lengths(count: 286, used: used)
    let distances = lengths(count: 30, used: Set([0, 1 + below(29)] + (0..<30).filter { _ in below(3) == 0 }).sorted())
    put(286 - 257, 5)
    put(30 - 1, 5)
    put(19 - 4, 4)
    // The sixteen lengths have four bits each, in their order; repetitions have no word.
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] { put(symbol < 16 ? 4 : 0, 3) }
    let plain = Code(Array(repeating: 4, count: 16))
    for length in literals + distances { put(length, plain) }
    write(symbols, Code(literals), Code(distances))
  }

  private mutating func write(_ count: Int, _ literals: Code, _ distances: Code) {
    let bytes = (0..<256).filter { literals.lengths[$0] > 0 }
    let lengths = (257..<286).filter { literals.lengths[$0] > 0 }
    let reaches = (0..<30).filter { distances.lengths[$0] > 0 }
    for _ in 0..<count {
      let isMatch = below(3) == 0
      let reach = reaches[below(reaches.count)]
      let range = InflateBlock.distances[reach]
      let distance = Int(range.base) + below(1 << Int(range.extra))
      if isMatch, distance <= expected.count {
        let symbol = lengths[below(lengths.count)]
        let length = InflateBlock.lengths[symbol - 257]
        let more = below(1 << Int(length.extra))
        put(symbol, literals)
        put(more, Int(length.extra))
        put(reach, distances)
        put(distance - Int(range.base), Int(range.extra))
        for _ in 0..<Int(length.base) + more { expected.append(expected[expected.count - distance]) }
      } else {
        let byte = bytes[below(bytes.count)]
        put(byte, literals)
        expected.append(UInt8(byte))
      }
    }
    put(256, literals)
  }
}
