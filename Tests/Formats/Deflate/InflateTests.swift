import Tensor
import Testing

@testable import Formats

@Suite("Inflate")
struct InflateTests {
  struct Stream: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let container: Inflate.Container
    let bytes: [UInt8]
    let expected: [UInt8]
  }

  static let streams = [
    Stream(
      testDescription: "stored block", container: .raw, bytes: [1, 3, 0, 0xFC, 0xFF, 97, 98, 99],
      expected: [97, 98, 99]),
    Stream(
      testDescription: "empty stored block, then another", container: .raw,
      bytes: [0, 0, 0, 0xFF, 0xFF, 1, 1, 0, 0xFE, 0xFF, 120], expected: [120]),
    Stream(
      testDescription: "fixed block with an overlapping match", container: .raw, bytes: [75, 76, 132, 129, 36, 0],
      expected: Array("aaaaaaaaaab".utf8)),
    Stream(
      testDescription: "dynamic block", container: .raw,
      bytes: [
        237, 206, 129, 13, 3, 33, 8, 64, 209, 89, 17, 161, 42, 136, 167, 28, 186, 126, 175, 73, 151, 104, 210, 63, 192,
        203, 7, 128, 132, 153, 75, 211, 177, 34, 113, 51, 7, 214, 5, 47, 11, 234, 193, 118, 234, 162, 145, 244, 200,
        150, 163, 96, 121, 150, 221, 179, 11, 186, 82, 140, 138, 113, 9, 167, 152, 38, 133, 16, 118, 220, 190, 158, 252,
        142, 13, 72, 69, 108, 62, 162, 92, 129, 117, 4, 169, 163, 120, 238, 187, 204, 108, 240, 5, 211, 160, 85, 143,
        113, 116, 10, 123, 193, 82, 6, 183, 246, 136, 107, 104, 43, 156, 49, 193, 167, 255, 224, 239, 13, 190, 1,
      ],
      expected: (0..<600).map { UInt8(($0 * $0 / 7) % 23 + 97) }),
    Stream(
      testDescription: "zlib", container: .zlib,
      bytes: [120, 218, 203, 72, 205, 201, 201, 87, 200, 64, 144, 0, 58, 46, 6, 125],
      expected: Array("hello hello hello".utf8)),
    Stream(
      testDescription: "gzip with a file name", container: .gzip,
      bytes: [
        31, 139, 8, 8, 0, 0, 0, 0, 2, 255, 110, 97, 109, 101, 46, 116, 120, 116, 0, 203, 72, 205, 201, 201, 87, 72, 175,
        202, 44, 0, 0, 25, 106, 210, 223, 10, 0, 0, 0,
      ],
      expected: Array("hello gzip".utf8)),
  ]

  @Test(arguments: streams) func decompresses(_ stream: Stream) throws {
    let output = try Inflate.decompress(stream.bytes, container: stream.container, limit: 1 << 20)
    #expect(output == stream.expected)
  }

  @Test(arguments: streams) func trailingBytesAreIgnored(_ stream: Stream) throws {
    let output = try Inflate.decompress(stream.bytes + [1, 2, 3], container: stream.container, limit: 1 << 20)
    #expect(output == stream.expected)
  }

  @Test(arguments: streams) func everyPrefixIsTruncated(_ stream: Stream) {
    for length in 0..<stream.bytes.count {
      #expect(throws: InflateError.truncated) {
        try Inflate.decompress(Array(stream.bytes[..<length]), container: stream.container, limit: 1 << 20)
      }
    }
  }

  @Test(arguments: streams) func limitIsExact(_ stream: Stream) throws {
    let count = stream.expected.count
    let exact = try Inflate.decompress(stream.bytes, container: stream.container, limit: count)
    #expect(exact == stream.expected)
    for limit in [0, count / 2, count - 1] {
      #expect(throws: InflateError.tooLong(limit: limit)) {
        try Inflate.decompress(stream.bytes, container: stream.container, limit: limit)
      }
      let cut = try Inflate.decompress(stream.bytes, container: stream.container, limit: limit, excess: .ignored)
      #expect(cut == Array(stream.expected[..<limit]))
    }
  }

  @Test(arguments: streams) func everySingleBitMayBeWrong(_ stream: Stream) {
    for bit in 0..<stream.bytes.count * 8 {
      var damaged = stream.bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      let output = try? Inflate.decompress(damaged, container: stream.container, limit: 4096)
      #expect(output == nil || output!.count <= 4096)
    }
  }

  @Test func wrongChecksumIsFound() {
    var bytes = Self.streams[4].bytes
    bytes[bytes.count - 1] ^= 1
    #expect { try Inflate.decompress(bytes, container: .zlib, limit: 100) } throws: { error in
      if case InflateError.checksum = error { true } else { false }
    }
  }

  static let broken: [[UInt8]] = [
    [7],  // block type 3
    [1, 3, 0, 0, 0, 1, 2, 3],  // a stored length without its complement
    [0x1B, 0x03, 0, 0],  // a fixed block with a symbol that does not exist
    [0x03, 0x02, 0, 0],  // a match that starts before the output
    [0xFD, 0xFF, 0xFF, 0xFF],  // 288 literal codes
  ]

  @Test(arguments: broken) func brokenBlocksAreRefused(_ bytes: [UInt8]) {
    #expect { try Inflate.decompress(bytes, container: .raw, limit: 100) } throws: { error in
      if case InflateError.block = error { true } else { false }
    }
  }

  /// The check values that the standards give, and the same in pieces.
  @Test func checksumsAgreeWithTheStandards() {
    let digits = Array("123456789".utf8)
    digits.withUnsafeBufferPointer { bytes in
      #expect(Checksum.crc32(bytes) == 0xCBF4_3926)
      #expect(Checksum.adler32(bytes) == 0x091E_01DE)
      for cut in 0...9 {
        let first = Checksum.crc32(UnsafeBufferPointer(rebasing: bytes[..<cut]))
        #expect(Checksum.crc32(UnsafeBufferPointer(rebasing: bytes[cut...]), continuing: first) == 0xCBF4_3926)
      }
    }
    let long = [UInt8](repeating: 255, count: 20000)
    long.withUnsafeBufferPointer { bytes in
      // a = 1 + 255 n, b = n + 255 n (n + 1) / 2, both modulo 65521.
      let n: UInt64 = 20000
      let low = UInt32((1 + 255 * n) % 65521)
      let high = UInt32((n + 255 * n * (n + 1) / 2) % 65521)
      #expect(Checksum.adler32(bytes) == high << 16 | low)
    }
  }

  /// By the definition, byte by byte, at every length about a strand's.
  @Test(arguments: Array(0...130) + [4096, 64 * 4096 - 1, 64 * 4096, 64 * 4096 + 65])
  func adlerIsItsDefinition(_ count: Int) {
    var random = RandomStream(Random(seed: 5, purpose: .augmentation, step: count))
    let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) | 0xC0 }
    let (low, high) = bytes.reduce((1, 0)) { sums, byte in
      let low = (sums.0 + Int(byte)) % 65521
      return (low, (sums.1 + low) % 65521)
    }
    #expect(bytes.withUnsafeBufferPointer { Checksum.adler32($0) } == UInt32(high << 16 | low))
  }
}
