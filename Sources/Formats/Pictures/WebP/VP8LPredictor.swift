/// The spatial prediction of a VP8L image (RFC 9649, section 3.5.1): pixels are differences from a function of their
/// neighbours on the left and above.
enum VP8LPredictor {
  /// The sum of each channel, modulo 256.
  @inline(__always)
  static func sum(_ a: UInt32, _ b: UInt32) -> UInt32 {
    let even = (a & 0xFF00_FF00) &+ (b & 0xFF00_FF00)
    let odd = (a & 0x00FF_00FF) &+ (b & 0x00FF_00FF)
    return even & 0xFF00_FF00 | odd & 0x00FF_00FF
  }

  /// Adds the predictions in place.
  ///
  /// - modes: the mode of each block of 2^bits pixels a side, in green.
  static func invert(_ pixels: inout [UInt32], width: Int, modes: [UInt32], bits: Int) {
    let blocks = VP8LTransform.blocks(width, bits: bits)
    pixels.withUnsafeMutableBufferPointer { pixels in
      let height = pixels.count / width
      pixels[0] = sum(pixels[0], 0xFF00_0000)
      for column in 1..<max(1, width) { pixels[column] = sum(pixels[column], pixels[column - 1]) }
      for row in 1..<max(1, height) {
        let start = row * width
        pixels[start] = sum(pixels[start], pixels[start - width])
        for column in 1..<max(1, width) {
          let mode = modes[(row >> bits) * blocks + column >> bits] >> 8 & 15
          let index = start + column
          // Right of the last column is the first pixel of this row: the next one in memory.
          let prediction = prediction(
            mode, left: pixels[index - 1], top: pixels[index - width], topLeft: pixels[index - width - 1],
            topRight: pixels[index - width + 1])
          pixels[index] = sum(pixels[index], prediction)
        }
      }
    }
  }

  @inline(__always)
  private static func prediction(
    _ mode: UInt32, left: UInt32, top: UInt32, topLeft: UInt32, topRight: UInt32
  ) -> UInt32 {
    switch mode {
    case 1: left
    case 2: top
    case 3: topRight
    case 4: topLeft
    case 5: mean(mean(left, topRight), top)
    case 6: mean(left, topLeft)
    case 7: mean(left, top)
    case 8: mean(topLeft, top)
    case 9: mean(top, topRight)
    case 10: mean(mean(left, topLeft), mean(top, topRight))
    case 11: nearer(left, top, topLeft)
    case 12: byChannel { clamped(channel(left, $0) + channel(top, $0) - channel(topLeft, $0)) }
    case 13:
      byChannel { shift in
        let middle = channel(mean(left, top), shift)
        return clamped(middle + (middle - channel(topLeft, shift)) / 2)
      }
    // 0, and 14 and 15, which no encoder writes.
    default: 0xFF00_0000
    }
  }

  /// The mean of each channel, rounded down.
  @inline(__always)
  private static func mean(_ a: UInt32, _ b: UInt32) -> UInt32 { ((a ^ b) & 0xFEFE_FEFE) >> 1 &+ (a & b) }

  /// The neighbour that is nearer to left + top − topLeft.
  @inline(__always)
  private static func nearer(_ left: UInt32, _ top: UInt32, _ topLeft: UInt32) -> UInt32 {
    distance(top, topLeft) < distance(left, topLeft) ? left : top
  }

  /// The sum of the differences of all channels.
  @inline(__always)
  private static func distance(_ a: UInt32, _ b: UInt32) -> Int32 {
    func part(_ shift: UInt32) -> Int32 { abs(channel(a, shift) &- channel(b, shift)) }
    return part(0) &+ part(8) &+ part(16) &+ part(24)
  }

  @inline(__always)
  private static func channel(_ pixel: UInt32, _ shift: UInt32) -> Int32 { Int32(pixel >> shift & 0xFF) }

  @inline(__always)
  private static func clamped(_ level: Int32) -> UInt32 { UInt32(min(max(level, 0), 255)) }

  @inline(__always)
  private static func byChannel(_ level: (UInt32) -> UInt32) -> UInt32 {
    level(0) | level(8) << 8 | level(16) << 16 | level(24) << 24
  }
}
