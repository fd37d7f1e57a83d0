/// The checksums that compressed containers carry.
public enum Checksum {
  /// Adler-32 of `bytes` (RFC 1950, section 8.2).
  ///
  ///     a = 1 + Σ bᵢ,   b = Σ aᵢ   (both modulo 65521),   checksum = b·2¹⁶ + a
  public static func adler32(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    var low: UInt32 = 1
    var high: UInt32 = 0
    var index = 0
    while index < bytes.count {
      // 5552 is the longest run whose sums stay below 2³² before the modulo (RFC 1950).
      let stop = Swift.min(index + 5552, bytes.count)
      while index < stop {
        low &+= UInt32(bytes[index])
        high &+= low
        index &+= 1
      }
      low %= 65521
      high %= 65521
    }
    return high << 16 | low
  }

  /// CRC-32 of `bytes` with the reflected polynomial 0xEDB88320, as PNG, gzip and zip use it (ISO 3309).
  ///
  /// Pass the checksum so far as `previous` to continue over several pieces.
  public static func crc32(_ bytes: UnsafeBufferPointer<UInt8>, continuing previous: UInt32 = 0) -> UInt32 {
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
