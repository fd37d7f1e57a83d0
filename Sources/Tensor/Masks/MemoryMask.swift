/// Zeros where the mask has them: bit i belongs to the element i positions after `origin`.
///
/// This is how a masked weight is used without ever being written (R-AMT (c)).
struct MemoryMask {
  let words: UnsafePointer<MaskWord>
  let origin: UnsafePointer<Real>

  @inline(__always)
  func number(at pointer: UnsafePointer<Real>) -> Real {
    let bit = pointer - origin
    return words[bit &>> 6].bits &>> UInt64(bit & 63) & 1 == 1 ? pointer.pointee : 0
  }

  @inline(__always)
  func eight(at pointer: UnsafePointer<Real>) -> SIMD8<Real> {
    let bit = pointer - origin
    let (word, shift) = (bit &>> 6, UInt64(bit & 63))
    var bits = words[word].bits &>> shift
    if shift > 56 { bits |= words[word &+ 1].bits &<< (64 &- shift) }
    let spread = Eight(repeating: Eight.Scalar(truncatingIfNeeded: bits)) & Eight(1, 2, 4, 8, 16, 32, 64, 128)
    let elements = UnsafeRawPointer(pointer).loadUnaligned(as: Eight.self)
    // All ones where the bit is set.
    let chosen = unsafeBitCast(spread .!= Eight(), to: Eight.self)
    return unsafeBitCast(elements & chosen, to: SIMD8<Real>.self)
  }

  @inline(__always)
  func copy(_ from: UnsafePointer<Real>, to: UnsafeMutablePointer<Real>, count: Int) {
    var index = 0
    while index &+ 8 <= count {
      UnsafeMutableRawPointer(to + index).storeBytes(of: eight(at: from + index), as: SIMD8<Real>.self)
      index &+= 8
    }
    while index < count {
      to[index] = number(at: from + index)
      index &+= 1
    }
  }

  /// Eight integers as wide as `Real`.
  private typealias Eight = SIMD8<RealBits>
}
