extension Transcendental {
  /// ln x in every lane.
  ///
  /// With x = 2ᵏ (1 + f), √½ ≤ 1 + f < √2, and s = f / (2 + f), ln (1 + f) = 2 artanh s is odd in s. As s (2 + f) = f,
  /// 2s = f − s f and s f = f²/2 − s f²/2; with 2 artanh s = 2s + s³ R(s²) this gives
  ///
  ///     ln x = k ln 2 + f − (f²/2 − s (f²/2 + s² R(s²))),   R(z) = (2 artanh(s) / s − 2) / z
  ///
  /// in the order of the terms' sizes, so that the rounding errors of the small ones vanish in the large one.
  @inline(__always)
  static func log(_ x: Lanes) -> Lanes {
    let isSubnormal = x .< Lanes(repeating: Real.leastNormalMagnitude)
    let scaled = x.replacing(with: x * Lanes(repeating: Parts.lift), where: isSubnormal)
    // Subtracting the bits of √½ makes the exponent field change where the significand passes √2.
    let root = LaneBits(repeating: Parts.rootHalf.bitPattern)
    let shift = LaneBits(repeating: Binary.significandBits)
    let offset = scaled.bits &- root &+ LaneBits(repeating: Real(1).bitPattern)
    let field = offset &>> shift
    let significand = offset & LaneBits(repeating: (1 &<< Binary.significandBits) &- 1)
    let f = Lanes(bits: significand &+ root) - 1
    // The field, put into the low bits of 2ˢ, reads 2ˢ + k + bias.
    let whole = Lanes(bits: field | LaneBits(repeating: Parts.unit.bitPattern))
    let k =
      (whole - (Parts.unit + Real(Binary.bias)))
      - Lanes(repeating: 0).replacing(with: Lanes(repeating: Parts.liftExponent), where: isSubnormal)

    let s = f / (2 + f)
    let z = s * s
    let halfSquare = 0.5 * f * f
    let series = halfSquare.fma(z, quotient(z))
    let small = (k * Lanes(repeating: Binary.ln2Low)).fma(s, series)
    let finite = (f - (halfSquare - small)).fma(k, Lanes(repeating: Binary.ln2High))

    return x.replacing(with: finite, where: x .< Lanes(repeating: .infinity))
      .replacing(with: Lanes(repeating: .nan), where: x .< 0)
      .replacing(with: Lanes(repeating: -.infinity), where: x .== 0)
  }

  /// ln x; the bits of the lane function.
  package static func log(_ x: Real) -> Real { log(Lanes(repeating: x))[0] }

  /// R(z) on 0 ≤ z ≤ (√2 − 1)⁴, the square of the largest s, weighted by z.
  @inline(__always)
  private static func quotient(_ z: Lanes) -> Lanes {
    #if REAL64
      // Truncation 2⁻⁵⁸·⁵.
      Lanes(repeating: 0x1.2ef13666a3053p-3)
        .times(z, plus: 0x1.39a3e6363e6c9p-3)
        .times(z, plus: 0x1.74662744d3c40p-3)
        .times(z, plus: 0x1.c71c528a340b5p-3)
        .times(z, plus: 0x1.249249413b159p-2)
        .times(z, plus: 0x1.9999999980d1ep-2)
        .times(z, plus: 0x1.555555555558fp-1)
    #else
      // Truncation 2⁻³⁶·⁶.
      Lanes(repeating: 0x1.e2e72ap-3)
        .times(z, plus: 0x1.24394ep-2)
        .times(z, plus: 0x1.999a78p-2)
        .times(z, plus: 0x1.555554p-1)
    #endif
  }

  private enum Parts {
    // Subnormal numbers times 2^liftExponent are ordinary; `unit` is 2ˢ for s bits of significand.
    #if REAL64
      @inline(__always) static var rootHalf: Real { 0x1.6a09e667f3bcdp-1 }
      @inline(__always) static var unit: Real { 0x1p52 }
      @inline(__always) static var lift: Real { 0x1p54 }
      @inline(__always) static var liftExponent: Real { 54 }
    #else
      @inline(__always) static var rootHalf: Real { 0x1.6a09e6p-1 }
      @inline(__always) static var unit: Real { 0x1p23 }
      @inline(__always) static var lift: Real { 0x1p25 }
      @inline(__always) static var liftExponent: Real { 25 }
    #endif
  }
}
