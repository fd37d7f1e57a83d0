/// The checksums that compressed containers carry.
package enum Checksum {
  /// Adler-32 of `bytes` (RFC 1950, section 8.2).
  ///
  ///     a = 1 + Σ bᵢ,   b = Σ aᵢ   (both modulo 65521),   checksum = b·2¹⁶ + a
  ///
  /// Bytes are summed in 64 strands, every 64th byte in one. With Aₛ the sum of a strand's bytes and Bₛ that of its
  /// running sums, a run of n bytes from the sums a₀ and b₀ on ends at
  ///
  ///     a = a₀ + Σ Aₛ,   b = b₀ + n a₀ + Σ (64 Bₛ − s Aₛ)
  ///
  /// Pass the checksum so far as `previous` to continue over several pieces.
  package static func adler32(_ bytes: UnsafeBufferPointer<UInt8>, continuing previous: UInt32 = 1) -> UInt32 {
    var low = UInt64(previous & 0xFFFF)
    var high = UInt64(previous >> 16)
    var index = 0
    while index &+ 64 <= bytes.count {
      // A strand of 4096 bytes ends with B below 255 · 4096² / 2 < 2³².
      let steps = Swift.min((bytes.count - index) / 64, 4096)
      let (sum, weighted) = strandSums(bytes.baseAddress! + index, steps: steps)
      high = (high + UInt64(64 * steps) * low + weighted) % 65521
      low = (low + sum) % 65521
      index += 64 * steps
    }
    while index < bytes.count {
      low = (low + UInt64(bytes[index])) % 65521
      high = (high + low) % 65521
      index += 1
    }
    return UInt32(high << 16 | low)
  }

  /// Σ Aₛ and Σ (64 Bₛ − s Aₛ) of 64 `steps` bytes. Strand 4 l + k is byte k of word l.
  private static func strandSums(_ bytes: UnsafePointer<UInt8>, steps: Int) -> (sum: UInt64, weighted: UInt64) {
    typealias Words = SIMD16<UInt32>
    let byte = Words(repeating: 255)
    var (a0, a1, a2, a3) = (Words(), Words(), Words(), Words())
    var (b0, b1, b2, b3) = (a0, a1, a2, a3)
    var source = UnsafeRawPointer(bytes)
    for _ in 0..<steps {
      let words = source.loadUnaligned(as: Words.self)
      a0 &+= words & byte
      a1 &+= words &>> Words(repeating: 8) & byte
      a2 &+= words &>> Words(repeating: 16) & byte
      a3 &+= words &>> Words(repeating: 24)
      b0 &+= a0
      b1 &+= a1
      b2 &+= a2
      b3 &+= a3
      source += 64
    }
    var sum: UInt64 = 0
    var weighted: UInt64 = 0
    for (part, (a, b)) in [(a0, b0), (a1, b1), (a2, b2), (a3, b3)].enumerated() {
      for lane in 0..<16 {
        sum += UInt64(a[lane])
        weighted += 64 * UInt64(b[lane]) - UInt64(4 * lane + part) * UInt64(a[lane])
      }
    }
    return (sum, weighted)
  }

  /// CRC-32 of `bytes` with the reflected polynomial 0xEDB88320, as PNG, gzip and zip use it (ISO 3309).
  ///
  /// Pass the checksum so far as `previous` to continue over several pieces.
  package static func crc32(_ bytes: UnsafeBufferPointer<UInt8>, continuing previous: UInt32 = 0) -> UInt32 {
    crcTables.withUnsafeBufferPointer { tables in
      var crc = ~previous
      var index = 0
      // Eight bytes a step: table t holds the remainder of a byte that is followed by t zero bytes.
      while index &+ 8 <= bytes.count {
        let word = UInt64(littleEndian: UnsafeRawPointer(bytes.baseAddress! + index).loadUnaligned(as: UInt64.self))
        let mixed = word ^ UInt64(crc)
        crc = 0
        for lane in 0..<8 {
          crc ^= tables[(7 &- lane) &* 256 &+ Int(truncatingIfNeeded: mixed >> UInt64(8 &* lane) & 255)]
        }
        index &+= 8
      }
      while index < bytes.count {
        crc = crc >> 8 ^ tables[Int(truncatingIfNeeded: (crc ^ UInt32(bytes[index])) & 255)]
        index &+= 1
      }
      return ~crc
    }
  }

  private static let crcTables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1 }
      tables[byte] = remainder
    }
    for entry in 256..<tables.count {
      let shorter = tables[entry - 256]
      tables[entry] = shorter >> 8 ^ tables[Int(shorter & 255)]
    }
    return tables
  }()
}
