import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

@Suite("Deflate") struct DeflateTests {
  struct Input: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    /// The most bytes that compressed ones may take.
    let most: Int
  }

  private static func noise(_ count: Int, below bound: Int = 256) -> [UInt8] {
    var stream = RandomStream(seed: UInt64(count), purpose: .check)
    return (0..<count).map { _ in UInt8(stream.integer(below: bound)) }
  }

  /// Byte i occurs Fₖ times, Fibonacci's numbers: Huffman's tree is as deep as it can be.
  private static let fibonacci: [UInt8] = {
    var (a, b) = (1, 1)
    var bytes: [UInt8] = []
    for byte in UInt8(0)..<22 {
      // Every other one is different, so that there are no matches to speak of.
      bytes += repeatElement(byte, count: a)
      (a, b) = (b, a + b)
    }
    var stream = RandomStream(seed: 1, purpose: .check)
    return stream.permutation(of: bytes.count).map { bytes[$0] }
  }()

  static let inputs: [Input] = [
    Input(testDescription: "nothing", bytes: [], most: 8),
    Input(testDescription: "1 byte", bytes: [200], most: 10),
    Input(testDescription: "2 equal bytes", bytes: [7, 7], most: 10),
    Input(
      testDescription: "258 zeros, the longest match behind one byte", bytes: [UInt8](repeating: 0, count: 259),
      most: 14),
    Input(testDescription: "100 kB of zeros", bytes: [UInt8](repeating: 0, count: 100_000), most: 160),
    Input(testDescription: "noise below a block", bytes: noise(4_000), most: 4_000 + 11),
    Input(testDescription: "65,535 bytes of noise", bytes: noise(65_535), most: 65_535 + 11),
    Input(testDescription: "65,536 bytes of noise", bytes: noise(65_536), most: 65_536 + 17),
    Input(testDescription: "200 kB of noise", bytes: noise(200_000), most: 200_000 + 6 + 6 * 4),
    // 2 % above what zlib 1.3 makes of such bytes at its usual level: 15,962, 23,830 and 18,253.
    Input(testDescription: "100 kB of 2 values", bytes: noise(100_000, below: 2), most: 16_280),
    Input(testDescription: "100 kB of 3 values", bytes: noise(100_000, below: 3), most: 24_300),
    Input(testDescription: "words that would be too long", bytes: fibonacci, most: 18_620),
    Input(testDescription: "a period of 32,768", bytes: (0..<3).flatMap { _ in noise(32_768) }, most: 33_600),
    Input(
      testDescription: "a period above the window", bytes: (0..<2).flatMap { _ in noise(32_769) }, most: 65_538 + 17),
    Input(testDescription: "every byte, twice", bytes: (0..<512).map { UInt8($0 / 2) }, most: 512 + 11),
  ]

  @Test(arguments: inputs) func inflateGivesTheInputBack(_ input: Input) throws {
    let compressed = Deflate.zlib(input.bytes)
    #expect(compressed.count <= input.most)
    #expect(try Inflate.decompress(compressed, container: .zlib, limit: input.bytes.count) == input.bytes)
  }

  @Test func anyLengthAndMixtureComesBack() throws {
    var stream = RandomStream(seed: 3, purpose: .check)
    for count in 0..<600 {
      // Runs, repetitions of what came before and noise in turns.
      var bytes: [UInt8] = []
      while bytes.count < count {
        switch stream.integer(below: 3) {
        case 0: bytes += repeatElement(UInt8(stream.integer(below: 256)), count: 1 + stream.integer(below: 20))
        case 1 where !bytes.isEmpty: bytes += bytes[stream.integer(below: bytes.count)...].prefix(30)
        default: bytes.append(UInt8(stream.integer(below: 256)))
        }
      }
      bytes.removeLast(bytes.count - count)
      #expect(try Inflate.decompress(Deflate.zlib(bytes), container: .zlib, limit: count) == bytes, "\(count) bytes")
    }
  }

  @Test(arguments: [(2, 15), (3, 15), (19, 7), (286, 15), (30, 15)])
  func everyCodeIsCompleteAndKeepsTheLimit(symbols: Int, limit: Int) {
    var stream = RandomStream(seed: UInt64(symbols), purpose: .check)
    for round in 0..<200 {
      // Frequencies that double from symbol to symbol make the longest words.
      let frequencies = (0..<symbols).map { symbol in
        round % 4 == 0
          ? 0 : round % 4 == 1 ? 1 << min(40, symbol) : stream.integer(below: 1 << stream.integer(below: 12))
      }
      let code = DeflateCode(frequencies: frequencies, limit: limit)
      #expect(code.lengths.allSatisfy { $0 <= limit })
      for symbol in 0..<symbols where frequencies[symbol] > 0 { #expect(code.lengths[symbol] > 0) }
      let kraft = code.lengths.reduce(0) { $0 + ($1 > 0 ? 1 << (15 - Int($1)) : 0) }
      #expect(kraft == 1 << 15, "Σ 2^-length = 1, round \(round)")
    }
  }

  /// Against the definition: the least Σ frequency · length of small trees is found by trying every tree.
  @Test func codesAreTheShortest() {
    var stream = RandomStream(seed: 5, purpose: .check)
    for _ in 0..<50 {
      let frequencies = (0..<5).map { _ in 1 + stream.integer(below: 30) }
      let code = DeflateCode(frequencies: frequencies, limit: 15)
      let bits = zip(frequencies, code.lengths).reduce(0) { $0 + $1.0 * Int($1.1) }
      #expect(bits == Self.leastBits(frequencies))
    }
  }

  /// The cheapest way to join all of the weights, each join costing its sum.
  private static func leastBits(_ weights: [Int]) -> Int {
    guard weights.count > 1 else { return 0 }
    var least = Int.max
    for a in weights.indices {
      for b in weights.indices where b > a {
        var rest = weights
        let sum = rest.remove(at: b) + rest.remove(at: a)
        least = min(least, sum + leastBits(rest + [sum]))
      }
    }
    return least
  }
}
