/// The strength of the loop filter in a macroblock (RFC 6386, section 15).
struct VP8FilterStrength {
  /// The limit of differences across an edge inside of the macroblock, and of those between neighbours; 0 for no
  /// filter.
  var limit = 0
  var neighborLimit = 0
  /// The difference above which samples vary too much to be smoothed.
  var variance = 0
  /// True if edges of 4 × 4 blocks are filtered, too.
  var isInner = false

  init(level: Int, sharpness: Int, isInner: Bool) {
    self.isInner = isInner
    guard level > 0 else { return }
    neighborLimit = level >> (sharpness > 4 ? 2 : sharpness > 0 ? 1 : 0)
    if sharpness > 0 { neighborLimit = min(neighborLimit, 9 - sharpness) }
    neighborLimit = max(neighborLimit, 1)
    limit = 2 * level + neighborLimit
    variance = level >= 40 ? 2 : level >= 15 ? 1 : 0
  }
}

/// The loop filter: smooths the edges of macroblocks and blocks, in place.
struct VP8LoopFilter {
  let strength: VP8FilterStrength

  /// Filters a luma macroblock with the simple filter.
  func simple(_ samples: UnsafeMutablePointer<UInt8>, stride: Int, hasLeft: Bool, hasTop: Bool) {
    if hasLeft { simpleEdge(samples, across: 1, along: stride, limit: strength.limit + 4) }
    if strength.isInner {
      for edge in 1..<4 { simpleEdge(samples + 4 * edge, across: 1, along: stride, limit: strength.limit) }
    }
    if hasTop { simpleEdge(samples, across: stride, along: 1, limit: strength.limit + 4) }
    if strength.isInner {
      for edge in 1..<4 { simpleEdge(samples + 4 * edge * stride, across: stride, along: 1, limit: strength.limit) }
    }
  }

  /// Filters a macroblock of 16 (luma) or 8 (chroma) samples a side with the normal filter.
  func normal(_ samples: UnsafeMutablePointer<UInt8>, stride: Int, size: Int, hasLeft: Bool, hasTop: Bool) {
    let inner = strength.isInner ? Array(Swift.stride(from: 4, to: size, by: 4)) : []
    if hasLeft { outerEdge(samples, across: 1, along: stride, size) }
    for edge in inner { innerEdge(samples + edge, across: 1, along: stride, size) }
    if hasTop { outerEdge(samples, across: stride, along: 1, size) }
    for edge in inner { innerEdge(samples + edge * stride, across: stride, along: 1, size) }
  }

  private func simpleEdge(_ edge: UnsafeMutablePointer<UInt8>, across: Int, along: Int, limit: Int) {
    for index in 0..<16 {
      let sample = edge + index * along
      if Self.isSmooth(sample, across, 2 * limit + 1) { Self.smoothTwo(sample, across) }
    }
  }

  private func outerEdge(_ edge: UnsafeMutablePointer<UInt8>, across: Int, along: Int, _ size: Int) {
    for index in 0..<size {
      let sample = edge + index * along
      guard needsFilter(sample, across, strength.limit + 4) else { continue }
      if varies(sample, across) { Self.smoothTwo(sample, across) } else { Self.smoothSix(sample, across) }
    }
  }

  private func innerEdge(_ edge: UnsafeMutablePointer<UInt8>, across: Int, along: Int, _ size: Int) {
    for index in 0..<size {
      let sample = edge + index * along
      guard needsFilter(sample, across, strength.limit) else { continue }
      if varies(sample, across) { Self.smoothTwo(sample, across) } else { Self.smoothFour(sample, across) }
    }
  }

  @inline(__always)
  private static func difference(_ sample: UnsafeMutablePointer<UInt8>, _ first: Int, _ second: Int) -> Int {
    abs(Int(sample[first]) - Int(sample[second]))
  }

  @inline(__always)
  private static func isSmooth(_ sample: UnsafeMutablePointer<UInt8>, _ step: Int, _ limit: Int) -> Bool {
    4 * difference(sample, -step, 0) + difference(sample, -2 * step, step) <= limit
  }

  @inline(__always)
  private func needsFilter(_ sample: UnsafeMutablePointer<UInt8>, _ step: Int, _ limit: Int) -> Bool {
    guard Self.isSmooth(sample, step, 2 * limit + 1) else { return false }
    let limit = strength.neighborLimit
    return Self.difference(sample, -4 * step, -3 * step) <= limit
      && Self.difference(sample, -3 * step, -2 * step) <= limit
      && Self.difference(sample, -2 * step, -step) <= limit
      && Self.difference(sample, 3 * step, 2 * step) <= limit
      && Self.difference(sample, 2 * step, step) <= limit
      && Self.difference(sample, step, 0) <= limit
  }

  @inline(__always)
  private func varies(_ sample: UnsafeMutablePointer<UInt8>, _ step: Int) -> Bool {
    Self.difference(sample, -2 * step, -step) > strength.variance
      || Self.difference(sample, step, 0) > strength.variance
  }

  @inline(__always)
  private static func signed(_ value: Int) -> Int { min(max(value, -128), 127) }

  @inline(__always)
  private static func add(_ amount: Int, _ sample: UnsafeMutablePointer<UInt8>, _ offset: Int) {
    sample[offset] = UInt8(truncatingIfNeeded: min(max(Int(sample[offset]) + amount, 0), 255))
  }

  /// 3 (q0 − p0), the slope at the edge.
  @inline(__always)
  private static func slope(_ sample: UnsafeMutablePointer<UInt8>, _ step: Int) -> Int {
    3 * (Int(sample[0]) - Int(sample[-step]))
  }

  /// p1 − q1, clamped.
  @inline(__always)
  private static func outer(_ sample: UnsafeMutablePointer<UInt8>, _ step: Int) -> Int {
    signed(Int(sample[-2 * step]) - Int(sample[step]))
  }

  /// Changes one sample on each side.
  @inline(__always)
  private static func smoothTwo(_ sample: UnsafeMutablePointer<UInt8>, _ step: Int) {
    let slope = slope(sample, step) + outer(sample, step)
    add(min(max((slope + 3) >> 3, -16), 15), sample, -step)
    add(-min(max((slope + 4) >> 3, -16), 15), sample, 0)
  }

  /// Changes two samples on each side.
  @inline(__always)
  private static func smoothFour(_ sample: UnsafeMutablePointer<UInt8>, _ step: Int) {
    let slope = slope(sample, step)
    let right = min(max((slope + 4) >> 3, -16), 15)
    let outer = (right + 1) >> 1
    add(outer, sample, -2 * step)
    add(min(max((slope + 3) >> 3, -16), 15), sample, -step)
    add(-right, sample, 0)
    add(-outer, sample, step)
  }

  /// Changes three samples on each side.
  @inline(__always)
  private static func smoothSix(_ sample: UnsafeMutablePointer<UInt8>, _ step: Int) {
    let slope = signed(slope(sample, step) + outer(sample, step))
    for distance in 0..<3 {
      let amount = (9 * (3 - distance) * slope + 63) >> 7
      add(amount, sample, -(distance + 1) * step)
      add(-amount, sample, distance * step)
    }
  }
}
