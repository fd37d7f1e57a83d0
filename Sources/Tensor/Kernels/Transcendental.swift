/// Elementary functions of our own, sixteen at a time.
///
/// libm differs from system to system in the last bits, so it cannot keep the promise that a run repeats to the bit.
/// These use fused multiply-adds, one division and integer operations only, which IEEE 754 defines exactly: the same
/// bits on every machine with FMA. Polynomials are near-minimax (Remez exchange in 50 digits on the stated interval and
/// weight, then rounded to `Real`); the truncation error is given next to each.
///
/// | function | largest error in `Float` | elsewhere |
/// | --- | --- | --- |
/// | `exp` | 1.05 ULP | ∞ above, subnormal numbers, then 0 |
/// | `log` | 0.83 ULP | −∞ at ±0, NaN below 0, ∞ at ∞; subnormal arguments are exact inputs |
/// | `tanh` | 1.77 ULP | ±1 |
/// | `sigmoid` | 2.40 ULP | 1 above, 0 below, subnormal numbers on the way |
///
/// These are the largest errors over all values (`Bench accuracy`, docs/numerics.md).
///
/// NaN gives NaN; odd functions keep the sign of zero. A scalar is computed as lane 0 of a full vector, so that it has
/// the bits of the lane function by construction (a vector takes about as long as a scalar).
package enum Transcendental {}

#if REAL64
  package typealias RealBits = UInt64
#else
  package typealias RealBits = UInt32
#endif

/// The bit patterns of sixteen numbers.
typealias LaneBits = SIMD16<RealBits>

extension SIMD16 where Scalar == Real {
  /// The bit patterns.
  @inline(__always)
  var bits: LaneBits { unsafeBitCast(self, to: LaneBits.self) }

  /// The values of given bit patterns.
  @inline(__always)
  init(bits: LaneBits) { self = unsafeBitCast(bits, to: Lanes.self) }

  /// self · x + c: one step of Horner's rule.
  @inline(__always)
  func times(_ x: Lanes, plus c: Real) -> Lanes { Lanes(repeating: c).fma(self, x) }

  /// The absolute values.
  @inline(__always)
  var magnitudes: Lanes { Lanes(bits: bits & ~Lanes.signBit) }

  /// The absolute values with a minus sign.
  @inline(__always)
  var negatedMagnitudes: Lanes { Lanes(bits: bits | Lanes.signBit) }

  /// These magnitudes with the signs of `other`.
  @inline(__always)
  func withSigns(of other: Lanes) -> Lanes { Lanes(bits: bits | (other.bits & Lanes.signBit)) }

  /// The values limited to at most `bound`; NaN stays.
  @inline(__always)
  func limited(above bound: Real) -> Lanes {
    replacing(with: Lanes(repeating: bound), where: self .> Lanes(repeating: bound))
  }

  /// The values limited to at least `bound`; NaN stays.
  @inline(__always)
  func limited(below bound: Real) -> Lanes {
    replacing(with: Lanes(repeating: bound), where: self .< Lanes(repeating: bound))
  }

  @inline(__always)
  private static var signBit: LaneBits { LaneBits(repeating: (-0.0 as Real).bitPattern) }
}

/// Constants that the functions share.
enum Binary {
  /// Bits of the significand without the leading one.
  @inline(__always)
  static var significandBits: RealBits { RealBits(Real.significandBitCount) }

  /// The bias of the exponent field: the field of 2ⁿ is n + bias.
  @inline(__always)
  static var bias: RealBits { Real(1).bitPattern >> significandBits }

  /// 1.5 · 2ˢ with s bits of significand: added to a number, it leaves the nearest integer in the low bits.
  #if REAL64
    @inline(__always) static var shifter: Real { 0x1.8p52 }
  #else
    @inline(__always) static var shifter: Real { 0x1.8p23 }
  #endif

  /// ln 2 = high + low; `high` ends in enough zeros for n · high to be exact for every exponent n, fused or not.
  #if REAL64
    @inline(__always) static var ln2High: Real { 0x1.62e42feep-1 }
    @inline(__always) static var ln2Low: Real { 0x1.a39ef35793c76p-33 }
  #else
    @inline(__always) static var ln2High: Real { 0x1.62ep-1 }
    @inline(__always) static var ln2Low: Real { 0x1.0bfbe8p-15 }
  #endif
}
