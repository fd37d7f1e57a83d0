import Tensor

/// A 16-bit format, with the definition of its rounding to check `HalfPrecision` against.
package enum NarrowFormat: String, CaseIterable, Sendable {
  case binary16, bfloat16

  /// The format's value nearest to a `Float`.
  package func narrow(_ x: Float) -> UInt16 {
    switch self {
    case .binary16: HalfPrecision.binary16(x)
    case .bfloat16: HalfPrecision.bfloat16(x)
    }
  }

  /// The value of a bit pattern.
  package func widen(_ bits: UInt16) -> Float {
    switch self {
    case .binary16: HalfPrecision.float(binary16: bits)
    case .bfloat16: HalfPrecision.float(bfloat16: bits)
    }
  }

  private var infinity: UInt16 { self == .binary16 ? 0x7c00 : 0x7f80 }

  /// Returns whether bits are the correct rounding of `x`: no neighbour is nearer, none as near and even; NaN and signs
  /// stay. For this ∞ counts as the power of two after the largest finite value (IEEE 754, section 4.3.1).
  package func isNearest(_ bits: UInt16, to x: Float) -> Bool {
    let (magnitude, size) = (bits & 0x7fff, Double(x.magnitude))
    guard (bits >> 15 == 1) == (x.sign == .minus) else { return false }
    if x.isNaN { return magnitude > infinity }
    if magnitude > infinity || x.isInfinite { return magnitude == infinity }
    func distance(_ bits: UInt16) -> Double {
      abs(size - (bits == infinity ? (self == .binary16 ? 0x1p16 : 0x1p128) : Double(widen(bits))))
    }
    func loses(_ other: UInt16) -> Bool {
      distance(other) > distance(magnitude) || distance(other) == distance(magnitude) && magnitude % 2 == 0
    }
    return (magnitude == 0 || loses(magnitude - 1)) && (magnitude == infinity || loses(magnitude + 1))
  }

  /// The number of every `stride`th `Float` not rounded to nearest, and the number tested.
  package func misrounded(stride: UInt32) -> (wrong: Int, count: Int) {
    let count = Int(UInt32.max / stride) + 1
    let piece = 1 << 16
    var wrong = [Int](repeating: 0, count: (count + piece - 1) / piece)
    wrong.withUnsafeMutableBufferPointer { wrong in
      Parallel.forEachRange(count, grain: piece) { range in
        wrong[range.lowerBound / piece] = range.count(where: { index in
          let x = Float(bitPattern: UInt32(index) * stride)
          return !isNearest(narrow(x), to: x)
        })
      }
    }
    return (wrong.reduce(0, +), count)
  }
}
