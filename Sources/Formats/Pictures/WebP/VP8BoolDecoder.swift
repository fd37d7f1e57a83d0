/// The arithmetic decoder of VP8 (RFC 6386, section 7).
struct VP8BoolDecoder {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0
  private var value: UInt64 = 0
  /// The width of the interval, less 1.
  private var range: UInt64 = 254
  /// The number of bits of `value` below the 8 that are compared.
  private var bits = -8
  /// True once more bits were needed than there are. Eight zeros come first, as in libwebp: encoders may leave them
  /// out.
  private(set) var isPastEnd = false

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The next bit, which is 0 with a probability of `probability` / 256.
  @inline(__always)
  mutating func bit(_ probability: UInt8) -> Bool {
    if bits < 0 { load() }
    let split = (range &* UInt64(probability)) >> 8
    let isOne = value >> UInt64(bits) > split
    if isOne {
      range &-= split
      value &-= (split &+ 1) << UInt64(bits)
    } else {
      range = split &+ 1
    }
    let shift = range.leadingZeroBitCount &- 56
    range = range << UInt64(shift) &- 1
    bits &-= shift
    return isOne
  }

  private mutating func load() {
    var count = 0
    while count < 7, position < bytes.count {
      value = value << 8 | UInt64(bytes[position])
      position += 1
      count += 1
    }
    if count == 0 {
      if isPastEnd {
        bits = 0
        return
      }
      value <<= 8
      count = 1
      isPastEnd = true
    }
    bits += 8 * count
  }

  /// The next bit, 0 or 1 with the same probability.
  mutating func flag() -> Bool { bit(128) }

  /// The next number of `count` bits, the highest first.
  mutating func number(_ count: Int) -> Int {
    (0..<count).reduce(0) { value, _ in value << 1 | (flag() ? 1 : 0) }
  }

  /// The next number and its sign.
  mutating func signed(_ count: Int) -> Int {
    let magnitude = number(count)
    return flag() ? -magnitude : magnitude
  }

  /// A signed number if a flag announces it, else 0.
  mutating func optional(_ count: Int) -> Int { flag() ? signed(count) : 0 }
}
