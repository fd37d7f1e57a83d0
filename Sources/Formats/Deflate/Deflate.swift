/// Compression into deflate streams (RFC 1951) in a zlib container (RFC 1950): what `Inflate` reads.
///
/// The bytes depend on the input alone. Each block takes the smallest of its three forms: stored, with the prefix codes
/// that the format fixes, or with codes made for it.
package enum Deflate {
  /// The input covered by one block is at most 65,535 bytes, the most that a stored block holds.
  static let longestBlock = 65_535

  /// `bytes`, compressed.
  package static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    bytes.withUnsafeBufferPointer { source in
      var output = DeflateBits()
      // Method 8 with a window of 32 KiB; the second byte makes the two a multiple of 31 and claims the default effort.
      output.append([0x78, 0x9C])
      var matcher = DeflateMatcher(source)
      repeat {
        let block = matcher.next(upTo: longestBlock)
        write(block, of: source, isLast: matcher.isAtEnd, to: &output)
      } while !matcher.isAtEnd
      output.align()
      output.append(withUnsafeBytes(of: Checksum.adler32(source).bigEndian, Array.init))
      return output.bytes
    }
  }

  private static func write(
    _ block: DeflateMatcher.Block, of source: UnsafeBufferPointer<UInt8>, isLast: Bool, to output: inout DeflateBits
  ) {
    let dynamic = DeflateCodes(for: block.tokens)
    let header = DeflateCodesHeader(dynamic)
    let fixedBits = DeflateCodes.fixed.bits(of: block.tokens)
    let dynamicBits = header.bits + dynamic.bits(of: block.tokens)
    // Up to seven bits are lost before a stored block, and two lengths precede its bytes.
    let storedBits = 7 + 32 + 8 * block.range.count
    output.append(isLast ? 1 : 0, count: 1)
    if storedBits < min(fixedBits, dynamicBits) {
      output.append(0, count: 2)
      output.align()
      let count = UInt16(block.range.count)
      for number in [count, ~count] { output.append(withUnsafeBytes(of: number.littleEndian, Array.init)) }
      output.append(source[block.range])
    } else if fixedBits <= dynamicBits {
      output.append(1, count: 2)
      DeflateCodes.fixed.write(block.tokens, to: &output)
    } else {
      output.append(2, count: 2)
      header.write(to: &output)
      dynamic.write(block.tokens, to: &output)
    }
  }
}

/// Bits to be written, the lowest of each byte first.
struct DeflateBits {
  /// The whole bytes so far.
  private(set) var bytes: [UInt8] = []
  private var word: UInt64 = 0
  private var held = 0

  /// Appends the lowest `count` bits, at most 32, of an integer that has no others.
  @inline(__always)
  mutating func append(_ bits: UInt32, count: Int) {
    word |= UInt64(bits) &<< UInt64(held)
    held &+= count
    while held >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: word))
      word &>>= 8
      held &-= 8
    }
  }

  /// Appends zeros up to the next whole byte.
  mutating func align() { append(0, count: (8 - held) % 8) }

  /// Appends whole bytes after `align`.
  mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }
}
