// exp and sigmoid share one reduction, and tanh has its own for 2x. With n = round(x / ln 2) and r = x − n ln 2, |r| ≤
// ½ ln 2,
//
//     eˣ = 2ⁿ (1 + q),   q = eʳ − 1 = r + r² Q(r),
//
// and tanh needs eˣ − 1 = 2ⁿ q + (2ⁿ − 1) without the cancellation that subtracting 1 from eˣ would bring.

extension Transcendental {
  /// eˣ in every lane.
  @inline(__always)
  static func exp(_ x: Lanes) -> Lanes {
    // Beyond these bounds the result is ∞ or below half the smallest subnormal number; within them n fits two scales.
    let reduced = Reduced(
      x.limited(above: Bounds.expAbove).limited(below: Bounds.expBelow), offset: 2 &* Binary.bias)
    // 2ⁿ by two factors, each an ordinary number for every n from the least subnormal exponent to the overflow:
    // the first product is exact, the second rounds once into the subnormal range or overflows to ∞.
    let half = reduced.exponent &>> LaneBits(repeating: 1)
    return (1 + reduced.q) * power(field: half) * power(field: reduced.exponent &- half)
  }

  /// eˣ in every lane for x ≤ 0, or above by what rounding adds (up to 40 is right): the bits of `exp`, in fewer
  /// instructions.
  @inline(__always)
  static func expOfNegative(_ x: Lanes) -> Lanes {
    // With the lift ℓ, 2ⁿ⁺ˡ is an ordinary number for every n from the least subnormal exponent on: the product with it
    // is exact, and that with 2⁻ˡ rounds once.
    let reduced = Reduced(x.limited(below: Bounds.expBelow), offset: Binary.bias + Bounds.lift)
    return (1 + reduced.q) * power(field: reduced.exponent) * Bounds.lowering
  }

  /// tanh x = h / (h + 1), h = ½ (e²ˣ − 1), in every lane.
  ///
  /// With n = round(2x / ln 2) and r = x − n ½ ln 2, h = 2ⁿ p + ½ (2ⁿ − 1), p = ½ (e²ʳ − 1) = r + r² P(r).
  @inline(__always)
  static func tanh(_ x: Lanes) -> Lanes {
    // From the bound on, tanh is 1 to less than half an ULP. The shifter leaves n + bias, the exponent field of 2ⁿ.
    let magnitude = x.magnitudes.limited(above: Bounds.tanhAbove)
    let shifter = Binary.shifter + Real(Binary.bias)
    let shifted = magnitude.times(Lanes(repeating: 2 * Bounds.reciprocalLn2), plus: shifter)
    let (n, power) = (shifted - shifter, power(field: shifted.bits))
    #if REAL64
      let r = magnitude.fma(n, Lanes(repeating: -0.5 * Binary.ln2High)).fma(n, Lanes(repeating: -0.5 * Binary.ln2Low))
    #else
      // ln 2 in one part happens to be off by only 2⁻²⁹: where n is large enough for this to matter, e²ʳ is negligible.
      let r = magnitude.fma(n, Lanes(repeating: -0x1.62e43p-2))
    #endif
    let p = r.fma(r * r, halfQuotient(r))
    let h = power.times(Lanes(repeating: 0.5), plus: -0.5).fma(power, p)
    // Where tanh is just below a power of two, plain rounding of h, h + 1 and the quotient adds up to 2.5 ULP. The
    // remainder h − t (h + 1) needs no rounded divisor, and one Newton step corrects by it. The quotient is formed with
    // the other sign, as a negation would cost an instruction.
    let reciprocal = -1 / (h + 1)
    let quotient = h * reciprocal
    let remainder = (h + quotient).fma(quotient, h)
    return quotient.fma(remainder, reciprocal).magnitudes.withSigns(of: x)
  }

  /// 1 / (1 + e⁻ˣ) in every lane.
  @inline(__always)
  static func sigmoid(_ x: Lanes) -> Lanes {
    // With e = exp(−|x|) ≤ 1 nothing overflows, and the lower tail e / (1 + e) keeps its relative precision.
    let e = expOfNegative(-x.magnitudes)
    return e.replacing(with: 1, where: x .> 0) / (1 + e)
  }

  /// P(r) = 2 Q(2r): the coefficients of Q, which `Reduced` has, times powers of two.
  @inline(__always)
  private static func halfQuotient(_ r: Lanes) -> Lanes {
    #if REAL64
      Lanes(repeating: 0x1.af76b36d6495bp-16)
        .times(r, plus: 0x1.28a28d0cf3ae3p-13)
        .times(r, plus: 0x1.71dde9fea19e3p-11)
        .times(r, plus: 0x1.a019a6a9270f0p-9)
        .times(r, plus: 0x1.a01a01b5dc61ep-7)
        .times(r, plus: 0x1.6c16c17f29617p-5)
        .times(r, plus: 0x1.111111110e6c4p-3)
        .times(r, plus: 0x1.555555555213ap-2)
        .times(r, plus: 0x1.555555555555cp-1)
        .times(r, plus: 0x1.0000000000005p0)
    #else
      Lanes(repeating: 0x1.6d98c2p-5)
        .times(r, plus: 0x1.1227e8p-3)
        .times(r, plus: 0x1.555488p-2)
        .times(r, plus: 0x1.5554bp-1)
        .times(r, plus: 1)
    #endif
  }

  /// eˣ; the bits of the lane function.
  package static func exp(_ x: Real) -> Real { exp(Lanes(repeating: x))[0] }

  /// tanh x; the bits of the lane function.
  package static func tanh(_ x: Real) -> Real { tanh(Lanes(repeating: x))[0] }

  /// 1 / (1 + e⁻ˣ); the bits of the lane function.
  package static func sigmoid(_ x: Real) -> Real { sigmoid(Lanes(repeating: x))[0] }

  /// 2ⁿ from its exponent field n + bias.
  @inline(__always)
  private static func power(field: LaneBits) -> Lanes {
    Lanes(bits: field &<< LaneBits(repeating: Binary.significandBits))
  }

  /// x = n ln 2 + r, as n + offset (a two's complement integer; the offset is even, so that ties go where they would
  /// without) and q = eʳ − 1.
  private struct Reduced {
    let exponent: LaneBits
    let q: Lanes

    @inline(__always)
    init(_ x: Lanes, offset: RealBits) {
      // Adding 1.5 · 2ˢ (s bits of significand) leaves the rounded integer in the low bits: no conversion needed.
      let shifter = Binary.shifter + Real(offset)
      let shifted = x.times(Lanes(repeating: Bounds.reciprocalLn2), plus: shifter)
      exponent = shifted.bits &- LaneBits(repeating: Binary.shifter.bitPattern)
      let n = shifted - shifter
      let r = x.fma(n, Lanes(repeating: -Binary.ln2High)).fma(n, Lanes(repeating: -Binary.ln2Low))
      q = r.fma(r * r, Reduced.quotient(r))
    }

    /// Q(r) = (eʳ − 1 − r) / r² on |r| ≤ ½ ln 2, weighted by |r| (the relative error of q).
    @inline(__always)
    private static func quotient(_ r: Lanes) -> Lanes {
      #if REAL64
        // Truncation 2⁻⁵⁵·⁶.
        Lanes(repeating: 0x1.af76b36d6495bp-26)
          .times(r, plus: 0x1.28a28d0cf3ae3p-22)
          .times(r, plus: 0x1.71dde9fea19e3p-19)
          .times(r, plus: 0x1.a019a6a9270f0p-16)
          .times(r, plus: 0x1.a01a01b5dc61ep-13)
          .times(r, plus: 0x1.6c16c17f29617p-10)
          .times(r, plus: 0x1.111111110e6c4p-7)
          .times(r, plus: 0x1.555555555213ap-5)
          .times(r, plus: 0x1.555555555555cp-3)
          .times(r, plus: 0x1.0000000000005p-1)
      #else
        // Truncation 2⁻²⁶·².
        Lanes(repeating: 0x1.6d98c2p-10)
          .times(r, plus: 0x1.1227e8p-7)
          .times(r, plus: 0x1.555488p-5)
          .times(r, plus: 0x1.5554bp-3)
          .times(r, plus: 0.5)
      #endif
    }
  }

  /// Where results are ∞, 0 or ±1 whatever the argument, and how subnormal ones are reached.
  ///
  /// In `Float`, ln(largest finite) = 88.7 and half the least subnormal is 2⁻¹⁵⁰ = exp(−103.97); in `Double`, 709.8 and
  /// exp(−745.1). The exponent field n + bias + lift must lie in 1 … 254 (`Double` 1 … 2046): n ≥ −150 gives 42, and
  /// the lift acts on x ≤ 40 alone, where n ≤ 58 gives 250 (`Double`: n ≥ −1076 gives 460).
  /// 1 − tanh x = 2 / (e²ˣ + 1) is below half an ULP of the numbers just under 1, 2⁻²⁵ or 2⁻⁵⁴, from x = 9.1 or 19.1.
  private enum Bounds {
    #if REAL64
      @inline(__always) static var expAbove: Real { 710 }
      @inline(__always) static var expBelow: Real { -746 }
      @inline(__always) static var lift: RealBits { 513 }
      @inline(__always) static var lowering: Real { 0x1p-513 }
      @inline(__always) static var tanhAbove: Real { 20 }
      @inline(__always) static var reciprocalLn2: Real { 0x1.71547652b82fep0 }
    #else
      @inline(__always) static var expAbove: Real { 89 }
      @inline(__always) static var expBelow: Real { -104 }
      @inline(__always) static var lift: RealBits { 65 }
      @inline(__always) static var lowering: Real { 0x1p-65 }
      @inline(__always) static var tanhAbove: Real { 10 }
      @inline(__always) static var reciprocalLn2: Real { 0x1.715476p0 }
    #endif
  }
}
