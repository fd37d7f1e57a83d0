import Checks
import Testing

@testable import Formats

/// Decompression through a window gives the bytes that decompression in memory gives.
@Suite struct InflateStreamTests {
  /// Text with matches near and far, runs, and noise, longer than several windows.
  private static let bytes: [UInt8] = {
    var generator = CheckNumbers(seed: 3)
    var bytes: [UInt8] = []
    while bytes.count < 3_000_000 {
      switch generator.next() % 4 {
      case 0: bytes += (0..<500).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      case 1: bytes += repeatElement(UInt8(truncatingIfNeeded: generator.next()), count: 700)
      default:
        let distance = min(bytes.count, Int(generator.next() % 32_768) + 1)
        bytes += Array(bytes.suffix(distance).prefix(900))
      }
    }
    return bytes
  }()

  @Test(arguments: [1, 7, 4096, 300_001]) func allBytesComeInOrder(piece: Int) throws {
    let stream = Deflate.zlib(Self.bytes)
    var found: [UInt8] = []
    let count = try stream.withUnsafeBufferPointer { stream in
      var output = try Inflate.stream(stream, limit: Self.bytes.count, room: 1) { bytes in
        let taken = bytes.count / piece * piece
        found += bytes.prefix(taken)
        return taken
      }
      output.hand()
      return output.total
    }
    #expect(count == Self.bytes.count)
    #expect(found == Array(Self.bytes.prefix(count / piece * piece)))
  }

  @Test(arguments: [1, 70_000, 3_000_000]) func zerosFillWhatIsMissing(missing: Int) throws {
    let stream = Deflate.zlib(Self.bytes)
    var found: [UInt8] = []
    try stream.withUnsafeBufferPointer { stream in
      var output = try Inflate.stream(stream, limit: Self.bytes.count + missing, room: 1) { bytes in
        found += bytes
        return bytes.count
      }
      #expect(output.total == Self.bytes.count)
      try output.fill()
      output.hand()
    }
    #expect(found == Self.bytes + [UInt8](repeating: 0, count: missing))
  }

  @Test func damageIsFound() throws {
    var stream = Deflate.zlib(Self.bytes)
    stream[stream.count - 1] ^= 1
    #expect(throws: InflateError.self) {
      try stream.withUnsafeBufferPointer { stream in
        try Inflate.stream(stream, limit: Self.bytes.count, room: 1) { $0.count }.total
      }
    }
    #expect(throws: InflateError.truncated) {
      try stream.prefix(stream.count / 2).withUnsafeBufferPointer { stream in
        try Inflate.stream(stream, limit: Self.bytes.count, room: 1) { $0.count }.total
      }
    }
  }

  @Test func aLimitEndsIt() throws {
    let stream = Deflate.zlib(Self.bytes)
    let count = try stream.withUnsafeBufferPointer { stream in
      try Inflate.stream(stream, limit: 1_000_000, room: 1) { $0.count }.total
    }
    #expect(count == 1_000_000)
  }
}
