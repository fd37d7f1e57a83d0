/// The standard normal distribution and its density at n = −|x|, from which symmetry gives those at |x|.
///
///     Φ(n) = e^(−n²/2) P(n) / Q(n),   φ(n) = e^(−n²/2) / √(2π)
///
/// Φ/φ is Mills' ratio, which one quotient of polynomials follows from 0 to where Φ is no ordinary number any more. All
/// terms of P and Q are positive: nothing cancels, and the tail keeps its digits, of which ½ (1 + erf) leaves none.
struct LowerNormal {
  /// −|x|, but never below `end`.
  let n: Lanes
  /// e^(−n²/2), and 0 from `end` on.
  let power: Lanes
  /// Φ(n), and 0 from `end` on.
  let distribution: Lanes

  @inline(__always)
  init(_ x: Lanes) {
    let all = x.negatedMagnitudes
    n = all.limited(below: Self.end)
    power = Self.power(n).replacing(with: 0, where: all .< Self.end)
    distribution = power * Self.numerator(n) / Self.denominator(n)
  }

  /// φ(n)
  @inline(__always)
  var density: Lanes { power * 0.398942280401432677939946059934382 }

  /// Where e^(−n²/2) is 2⁻¹²² (`Double` 2⁻¹⁰¹⁴), an ordinary number still, as k is added to its exponent.
  #if REAL64
    @inline(__always) private static var end: Real { -37.5 }
  #else
    @inline(__always) private static var end: Real { -13.0 }
  #endif

  /// e^(−n²/2) = 2ᵏ 2ᶠ with k + f = −n² / (2 ln 2), k whole and |f| ≤ ½.
  @inline(__always)
  private static func power(_ n: Lanes) -> Lanes {
    let square = n * n
    let shifted = square.times(Lanes(repeating: rate), plus: Binary.shifter)
    let f = (Binary.shifter - shifted).fma(square, Lanes(repeating: rate))
    let k = shifted.bits &<< LaneBits(repeating: Binary.significandBits)
    return Lanes(bits: powerOfTwo(f).bits &+ k)
  }

  /// 2ᶠ for |f| ≤ ½. Relative error 2⁻²⁸·⁹ (`Double` 2⁻⁵⁸·⁰) before rounding.
  @inline(__always)
  private static func powerOfTwo(_ f: Lanes) -> Lanes {
    #if REAL64
      Lanes(repeating: 0x1.e79b67b442a7cp-32)
        .times(f, plus: 0x1.e61b641e76cabp-28)
        .times(f, plus: 0x1.b5267d2f45474p-24)
        .times(f, plus: 0x1.62bfc791bc265p-20)
        .times(f, plus: 0x1.ffcbfba94cdc9p-17)
        .times(f, plus: 0x1.4309130edd49ep-13)
        .times(f, plus: 0x1.5d87fe78cd7bp-10)
        .times(f, plus: 0x1.3b2ab6fba0104p-7)
        .times(f, plus: 0x1.c6b08d7049fe7p-5)
        .times(f, plus: 0x1.ebfbdff82c5a4p-3)
        .times(f, plus: 0x1.62e42fefa39efp-1)
        .times(f, plus: 1)
    #else
      Lanes(repeating: 0x1.41fbacp-13)
        .times(f, plus: 0x1.5f3e6ap-10)
        .times(f, plus: 0x1.3b2d4ep-7)
        .times(f, plus: 0x1.c6aee8p-5)
        .times(f, plus: 0x1.ebfbdcp-3)
        .times(f, plus: 0x1.62e43p-1)
        .times(f, plus: 1)
    #endif
  }

  /// P. Relative error of P / Q for `end` ≤ n ≤ 0: 2⁻²⁷·³ (`Double` 2⁻⁵⁹·⁸) before rounding.
  @inline(__always)
  private static func numerator(_ n: Lanes) -> Lanes {
    #if REAL64
      Lanes(repeating: 0x1.e1388e00ad337p-23)
        .times(n, plus: -0x1.d3f7e0b7603cp-18)
        .times(n, plus: 0x1.bed878edb00e1p-14)
        .times(n, plus: -0x1.1079455594bfp-10)
        .times(n, plus: 0x1.d2af2bdceffb6p-8)
        .times(n, plus: -0x1.24206c367866dp-5)
        .times(n, plus: 0x1.0e61c17aa9858p-3)
        .times(n, plus: -0x1.6ddea6ce8b784p-2)
        .times(n, plus: 0x1.5bece35563a5dp-1)
        .times(n, plus: -0x1.a7dfe4795b72dp-1)
        .times(n, plus: 0.5)
    #else
      Lanes(repeating: 0x1.0dd59cp-8)
        .times(n, plus: -0x1.4ced52p-5)
        .times(n, plus: 0x1.774f8p-3)
        .times(n, plus: -0x1.c0d84cp-2)
        .times(n, plus: 0.5)
    #endif
  }

  /// Q
  @inline(__always)
  private static func denominator(_ n: Lanes) -> Lanes {
    #if REAL64
      Lanes(repeating: -0x1.2d8f7c368d03ap-21)
        .times(n, plus: 0x1.254170b400fbbp-16)
        .times(n, plus: -0x1.189ba1b475ea1p-12)
        .times(n, plus: 0x1.57c9458fa37bep-9)
        .times(n, plus: -0x1.28ced16220b07p-6)
        .times(n, plus: 0x1.78a7adc90344ep-4)
        .times(n, plus: -0x1.649c44d1f7531p-2)
        .times(n, plus: 0x1.f5bcb601223dfp-1)
        .times(n, plus: -0x1.0027dd5ed46edp1)
        .times(n, plus: 0x1.688d2ebb68c95p1)
        .times(n, plus: -0x1.3a11070bfe92bp1)
        .times(n, plus: 1)
    #else
      Lanes(repeating: -0x1.522ef2p-7)
        .times(n, plus: 0x1.a149dep-4)
        .times(n, plus: -0x1.e0cc12p-2)
        .times(n, plus: 0x1.33dd48p0)
        .times(n, plus: -0x1.acae58p0)
        .times(n, plus: 1)
    #endif
  }

  /// −1 / (2 ln 2)
  @inline(__always) private static var rate: Real { -0.721347520444481703679962340500946 }
}
