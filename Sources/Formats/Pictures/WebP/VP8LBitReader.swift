/// The bits of a VP8L stream, the lowest of each byte first.
struct VP8LBitReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0
  private var window: UInt64 = 0
  private var held = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// At least 32 of the next bits; zeros beyond the end.
  @inline(__always)
  mutating func peek() -> UInt32 {
    while held <= 32, position < bytes.count {
      window |= UInt64(bytes[position]) << UInt64(held)
      position += 1
      held += 8
    }
    return UInt32(truncatingIfNeeded: window)
  }

  /// Consumes bits that were peeked at.
  @inline(__always)
  mutating func skip(_ count: Int) throws(ImageError.Problem) {
    guard count <= held else { throw .truncated(in: "the VP8L data") }
    window >>= UInt64(count)
    held -= count
  }

  /// The next `count` bits, at most 24.
  @inline(__always)
  mutating func bits(_ count: Int) throws(ImageError.Problem) -> Int {
    let value = peek() & (1 << UInt32(count) - 1)
    try skip(count)
    return Int(value)
  }

  /// The next bit.
  mutating func flag() throws(ImageError.Problem) -> Bool { try bits(1) == 1 }
}
