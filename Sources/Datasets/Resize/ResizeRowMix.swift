import Tensor

/// One row of the pass down the columns: a weighted sum of neighbouring rows of bytes, rounded and clamped.
struct RowMix {
  let first: UnsafePointer<UInt8>
  let rowBytes: Int
  let taps: UnsafePointer<Int32>
  let count: Int

  /// Every fourth of 64 bytes.
  private typealias Lanes = SIMD16<Int32>

  /// Writes `length` bytes. The last 64 may be computed twice, with the same result.
  func run(into row: UnsafeMutablePointer<UInt8>, length: Int) {
    var x = 0
    while x &+ 64 <= length {
      mix64(at: x, into: row)
      x &+= 64
    }
    guard x < length else { return }
    if length >= 64 {
      mix64(at: length &- 64, into: row)
    } else {
      while x < length {
        row[x] = byte(at: x)
        x &+= 1
      }
    }
  }

  /// Bytes are extracted from words by shifts: widening sixteen lanes by an initialiser is a call (Swift 6.3.1).
  @inline(__always)
  private func mix64(at x: Int, into row: UnsafeMutablePointer<UInt8>) {
    let low = SIMD16<UInt32>(repeating: 255)
    var sum0 = Lanes(repeating: ResampleWeights.half)
    var (sum1, sum2, sum3) = (sum0, sum0, sum0)
    var source = UnsafeRawPointer(first + x)
    for tap in 0..<count {
      let words = source.loadUnaligned(as: SIMD16<UInt32>.self)
      let weight = taps[tap]
      sum0 &+= unsafeBitCast(words & low, to: Lanes.self) &* weight
      sum1 &+= unsafeBitCast(words &>> SIMD16(repeating: 8) & low, to: Lanes.self) &* weight
      sum2 &+= unsafeBitCast(words &>> SIMD16(repeating: 16) & low, to: Lanes.self) &* weight
      sum3 &+= unsafeBitCast(words &>> SIMD16(repeating: 24), to: Lanes.self) &* weight
      source += rowBytes
    }
    let words =
      sum0.roundedToByte | sum1.roundedToByte &<< SIMD16(repeating: 8)
      | sum2.roundedToByte &<< SIMD16(repeating: 16) | sum3.roundedToByte &<< SIMD16(repeating: 24)
    UnsafeMutableRawPointer(row + x).storeBytes(of: words, as: SIMD16<UInt32>.self)
  }

  private func byte(at x: Int) -> UInt8 {
    var sum = ResampleWeights.half
    for tap in 0..<count { sum &+= Int32(first[tap &* rowBytes &+ x]) &* taps[tap] }
    return UInt8(truncatingIfNeeded: min(max(sum >> ResampleWeights.fractionalBits, 0), 255))
  }
}
