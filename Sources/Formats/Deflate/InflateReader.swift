/// The bits of a deflate stream, lowest bit of each byte first (RFC 1951, section 3.1.1).
///
/// Past the end it supplies zeros and counts them, so that the fast path needs no end test of its own;
/// `isPastEnd` then says whether any of them was used.
struct InflateReader {
  private let source: UnsafeBufferPointer<UInt8>
  private(set) var position: Int
  /// The next bits, first one lowest; those above `count` are a part of the byte at `position`, or zero.
  private(set) var bits: UInt64 = 0
  private(set) var count = 0
  private var padding = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int) {
    source = bytes
    self.position = position
  }

  var isPastEnd: Bool { count < padding }

  /// Makes at least 56 bits available.
  @inline(__always)
  mutating func refill() {
    if position &+ 8 <= source.count {
      refillFarFromEnd()
    } else {
      refillNearEnd()
    }
  }

  /// True if two refills find eight bytes each.
  @inline(__always)
  var isFarFromEnd: Bool { position &+ 16 <= source.count }

  /// As `refill`, where there are eight bytes.
  @inline(__always)
  mutating func refillFarFromEnd() {
    let word = UInt64(littleEndian: UnsafeRawPointer(source.baseAddress! + position).loadUnaligned(as: UInt64.self))
    bits |= word &<< UInt64(count)
    position &+= (63 &- count) >> 3
    count |= 56
  }

  @inline(never)
  private mutating func refillNearEnd() {
    while count < 56 {
      if position < source.count {
        bits |= UInt64(source[position]) << UInt64(count)
        position += 1
      } else {
        padding += 8
      }
      count += 8
    }
  }

  /// The next `amount` bits, which stay.
  @inline(__always)
  func peek(_ amount: Int) -> Int { Int(truncatingIfNeeded: bits & (1 &<< UInt64(amount) &- 1)) }

  @inline(__always)
  mutating func drop(_ amount: Int) {
    bits &>>= UInt64(amount)
    count &-= amount
  }

  /// Takes `amount` (at most 16) bits that `refill` has made available.
  @inline(__always)
  mutating func take(_ amount: Int) -> Int {
    let value = peek(amount)
    drop(amount)
    return value
  }

  /// Gives whole unread bytes back, so that `position` is the first byte after the bits taken.
  mutating func alignToByte() {
    drop(count & 7)
    position -= (count - padding) >> 3
    bits = 0
    count = 0
    padding = 0
  }

  /// Takes `amount` whole bytes after `alignToByte`; nil when fewer are left.
  mutating func takeBytes(_ amount: Int) -> UnsafeBufferPointer<UInt8>? {
    guard amount <= source.count - position else { return nil }
    defer { position += amount }
    return UnsafeBufferPointer(rebasing: source[position..<position + amount])
  }
}
