/// The prediction of samples from those above and on the left (RFC 6386, section 12).
enum VP8Prediction {
  private typealias Mode = VP8Modes.Mode

  /// Predicts a square of 16 (luma) or 8 (chroma) samples a side.
  ///
  /// - hasTop, hasLeft: whether there is a macroblock; the mean is taken of those that there are.
  static func predict(
    _ mode: UInt8, _ target: UnsafeMutablePointer<UInt8>, stride: Int, size: Int, hasTop: Bool, hasLeft: Bool
  ) {
    let top = target - stride
    switch mode {
    case Mode.vertical: for row in 0..<size { (target + row * stride).update(from: top, count: size) }
    case Mode.horizontal:
      for row in 0..<size { (target + row * stride).update(repeating: target[row * stride - 1], count: size) }
    case Mode.gradient: gradient(target, stride: stride, size: size)
    default:
      var (sum, count) = (0, 0)
      if hasTop {
        for column in 0..<size { sum += Int(top[column]) }
        count += size
      }
      if hasLeft {
        for row in 0..<size { sum += Int(target[row * stride - 1]) }
        count += size
      }
      let mean = count == 0 ? 128 : UInt8((sum + count / 2) / count)
      for row in 0..<size { (target + row * stride).update(repeating: mean, count: size) }
    }
  }

  /// left + top − top left.
  private static func gradient(_ target: UnsafeMutablePointer<UInt8>, stride: Int, size: Int) {
    let top = target - stride
    let corner = Int32(top[-1])
    for row in 0..<size {
      let line = target + row * stride
      let left = Int32(line[-1]) - corner
      for column in 0..<size { line[column] = UInt8(truncatingIfNeeded: min(max(left + Int32(top[column]), 0), 255)) }
    }
  }

  /// Predicts 4 × 4 samples.
  ///
  /// - topRight: the four samples that follow those above.
  static func predictBlock(
    _ mode: UInt8, _ target: UnsafeMutablePointer<UInt8>, stride: Int, topRight: UnsafePointer<UInt8>
  ) {
    switch mode {
    case Mode.mean:
      var sum = 4
      for index in 0..<4 { sum += Int(target[index - stride]) + Int(target[index * stride - 1]) }
      for row in 0..<4 { (target + row * stride).update(repeating: UInt8(sum >> 3), count: 4) }
    case Mode.gradient: gradient(target, stride: stride, size: 4)
    default:
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { edge in
        let corner = edge.baseAddress! + 6
        fill(corner, around: target, stride, topRight)
        let directions = directions[Int(mode) - 2]
        for row in 0..<4 {
          for column in 0..<4 { target[row * stride + column] = smoothed(corner, directions[4 * row + column]) }
        }
      }
    }
  }

  /// The edge of a block around its corner: on the left at −1 … −4 downwards, above at 1 … 8; the last sample of each
  /// end is repeated.
  private static func fill(
    _ corner: UnsafeMutablePointer<UInt8>, around target: UnsafeMutablePointer<UInt8>, _ stride: Int,
    _ topRight: UnsafePointer<UInt8>
  ) {
    for index in 0..<4 {
      corner[-1 - index] = target[index * stride - 1]
      corner[1 + index] = target[index - stride]
      corner[5 + index] = topRight[index]
    }
    corner[0] = target[-stride - 1]
    (corner[-5], corner[-6], corner[9]) = (corner[-4], corner[-4], corner[8])
  }

  /// The weighted mean of three samples of the edge around `position` / 2, or for an odd one of the two beside it.
  @inline(__always)
  private static func smoothed(_ corner: UnsafePointer<UInt8>, _ position: Int8) -> UInt8 {
    let index = Int(position >> 1)
    if position & 1 == 1 { return UInt8((Int(corner[index]) + Int(corner[index + 1]) + 1) >> 1) }
    return UInt8((Int(corner[index - 1]) + 2 * Int(corner[index]) + Int(corner[index + 1]) + 2) >> 2)
  }

  /// Positions along the edge, in halves, for each sample of a block; by mode, from vertical on.
  private static let directions: [[Int8]] = [
    [2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6, 8],
    [-2, -2, -2, -2, -4, -4, -4, -4, -6, -6, -6, -6, -8, -8, -8, -8],
    [0, 2, 4, 6, -2, 0, 2, 4, -4, -2, 0, 2, -6, -4, -2, 0],
    [1, 3, 5, 7, 0, 2, 4, 6, -2, 1, 3, 5, -4, 0, 2, 4],
    [4, 6, 8, 10, 6, 8, 10, 12, 8, 10, 12, 14, 10, 12, 14, 16],
    [3, 5, 7, 9, 4, 6, 8, 10, 5, 7, 9, 12, 6, 8, 10, 14],
    [-1, 0, 2, 4, -3, -2, -1, 0, -5, -4, -3, -2, -7, -6, -5, -4],
    [-3, -4, -5, -6, -5, -6, -7, -8, -7, -8, -10, -10, -10, -10, -10, -10],
  ]
}
