import Testing

@testable import Formats

@Suite("Fast loop of inflate")
struct InflateFastLoopTests {
  enum Outcome: Equatable {
    case bytes([UInt8])
    case failure(InflateError)
  }

  static func outcome(_ bytes: [UInt8], limit: Int, isCareful: Bool) -> Outcome {
    bytes.withUnsafeBufferPointer { bytes in
      do throws(InflateError) {
        let output = try Inflate.output(
          of: bytes, container: .raw, limit: limit, excess: .ignored, isCareful: isCareful)
        return .bytes(output.array)
      } catch {
        return .failure(error)
      }
    }
  }

  static let blocks = ["f", "d", "dd", "sfd", "dsdsf", "ffdds"]

  @Test(arguments: 1...8, blocks) func bothWaysGiveWhatWasWritten(_ seed: Int, _ blocks: String) {
    let stream = DeflateWriter(seed: seed, blocks: blocks)
    #expect(Self.outcome(stream.bytes, limit: 1 << 20, isCareful: false) == .bytes(stream.expected))
    #expect(Self.outcome(stream.bytes, limit: 1 << 20, isCareful: true) == .bytes(stream.expected))
  }

  /// Cut anywhere, limited to any size, with any byte wrong: the same bytes or the same error.
  @Test(arguments: 1...2, blocks) func bothWaysEndAlike(_ seed: Int, _ blocks: String) {
    let stream = DeflateWriter(seed: 100 + seed, blocks: blocks, symbols: 120)
    for length in 0..<stream.bytes.count {
      let cut = Array(stream.bytes[..<length])
      #expect(Self.outcome(cut, limit: 1 << 20, isCareful: false) == Self.outcome(cut, limit: 1 << 20, isCareful: true))
      var damaged = stream.bytes
      damaged[length] ^= UInt8(truncatingIfNeeded: 1 + length % 255)
      #expect(
        Self.outcome(damaged, limit: 1 << 16, isCareful: false)
          == Self.outcome(damaged, limit: 1 << 16, isCareful: true)
      )
    }
    for limit in stride(from: 0, to: stream.expected.count, by: 1 + stream.expected.count / 700) {
      #expect(Self.outcome(stream.bytes, limit: limit, isCareful: false) == .bytes(Array(stream.expected[..<limit])))
    }
  }

  /// Every distance below eight repeats a pattern that is shorter than a word.
  @Test(arguments: 1...20) func shortPatternsRepeat(_ distance: Int) throws {
    // A fixed block: `distance` literals, then a match of 258 bytes, then its end; and 300 bytes more, stored.
    let stream = DeflateWriter(pattern: distance)
    #expect(Self.outcome(stream.bytes, limit: 1 << 20, isCareful: false) == .bytes(stream.expected))
  }
}
