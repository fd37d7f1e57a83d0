/// The bits of an entropy-coded segment, highest bit of each byte first; a zero byte after 0xFF is stuffing
/// (ITU-T T.81, section F.1.2.3).
///
/// At a marker, or at the end of the file, it stops and supplies zero bits, as libjpeg does; `isExhausted` says
/// whether any of them was used.
struct JPEGBitReader {
  private let source: UnsafePointer<UInt8>
  private let end: Int
  /// The next byte not yet in `bits`; the start of a marker once the reader has reached one.
  private(set) var position: Int
  /// The next bits, first one highest; those below `count` are part of the byte at `position`, or zero.
  private(set) var bits: UInt64 = 0
  private(set) var count = 0
  private var padding = 0
  private var isStopped = false

  init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int) {
    source = bytes.baseAddress!
    end = bytes.count
    self.position = position
  }

  /// True if bits beyond the end of the segment were used.
  var isExhausted: Bool { count < padding }

  /// Makes at least 32 bits available: a code of 16 and its 15 extra bits.
  @inline(__always)
  mutating func refill() {
    if count < 32 { refillNow() }
  }

  @inline(__always)
  private mutating func refillNow() {
    if position &+ 8 <= end {
      let word = UInt64(bigEndian: UnsafeRawPointer(source + position).loadUnaligned(as: UInt64.self))
      // Nonzero exactly when one of the eight bytes is 0xFF, so may be a marker or need its stuffing removed.
      if (~word &- 0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 == 0 {
        bits |= word &>> UInt64(count)
        position &+= (63 &- count) >> 3
        count |= 56
        return
      }
    }
    refillSlowly()
  }

  @inline(never)
  private mutating func refillSlowly() {
    while count <= 55 {
      if let byte = nextByte() {
        bits |= UInt64(byte) &<< UInt64(56 &- count)
      } else {
        padding += 8
      }
      count += 8
    }
  }

  private mutating func nextByte() -> UInt8? {
    guard !isStopped, position < end else { return nil }
    let byte = source[position]
    if byte != 0xFF {
      position += 1
      return byte
    }
    var next = position + 1
    while next < end, source[next] == 0xFF { next += 1 }
    if next < end, source[next] == 0 {
      position = next + 1
      return 0xFF
    }
    isStopped = true
    // At the end of the file there is no marker to return to.
    position = next < end ? next - 1 : end
    return nil
  }

  @inline(__always)
  mutating func drop(_ amount: Int) {
    bits &<<= UInt64(amount)
    count &-= amount
  }

  /// Takes one bit that `refill` has made available.
  @inline(__always)
  mutating func takeBit() -> Int32 {
    let bit = Int32(truncatingIfNeeded: bits >> 63)
    drop(1)
    return bit
  }

  /// Takes `amount` (1...16) bits.
  @inline(__always)
  mutating func take(_ amount: Int) -> Int32 {
    let value = Int32(truncatingIfNeeded: bits &>> UInt64(64 &- amount))
    drop(amount)
    return value
  }

  /// Takes `size` (1...15) bits as a signed number: those below 2^(size-1) stand for negative ones (F.2.2.1).
  @inline(__always)
  mutating func takeSigned(_ size: Int) -> Int32 {
    let value = take(size)
    return value < 1 &<< Int32(size &- 1) ? value &- (1 &<< Int32(size)) &+ 1 : value
  }

  /// Discards the buffered bits and continues at `position`.
  mutating func restart(at position: Int) {
    self.position = position
    bits = 0
    count = 0
    padding = 0
    isStopped = false
  }
}
