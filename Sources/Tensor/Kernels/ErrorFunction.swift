extension Transcendental {
  /// erf x = 2/√π ∫₀ˣ e^(−t²) dt in every lane.
  ///
  ///     |x| < 1:   erf x = x + x P(x²)
  ///     |x| ≥ 1:   erf x = ±(1 − e^(−L(|x|))),   L = −ln erfc
  ///
  /// ln erfc is smooth enough for one polynomial up to the point where erf is 1 in all bits, and an error in it counts
  /// only by erfc(1) = 0.16 and less.
  @inline(__always)
  static func erf(_ x: Lanes) -> Lanes {
    let magnitude = x.magnitudes
    let near = x.fma(x, nearSeries(x * x))
    let far = (1 - expOfNegative(-farSeries(magnitude.limited(above: saturation)))).withSigns(of: x)
    return far.replacing(with: near, where: magnitude .< 1)
  }

  /// erf x; the bits of the lane function.
  package static func erf(_ x: Real) -> Real { erf(Lanes(repeating: x))[0] }

  /// From here on erf is 1 to less than half an ULP.
  #if REAL64
    @inline(__always) private static var saturation: Real { 6 }
  #else
    @inline(__always) private static var saturation: Real { 4 }
  #endif

  /// P(u) = erf(√u) / √u − 1 on 0 ≤ u ≤ 1.
  @inline(__always)
  private static func nearSeries(_ u: Lanes) -> Lanes {
    #if REAL64
      // Truncation 2⁻⁵⁷·⁰.
      Lanes(repeating: -0x1.ace016065575bp-31)
        .times(u, plus: 0x1.d7849a73873fep-27)
        .times(u, plus: -0x1.5c16e39f6580cp-23)
        .times(u, plus: 0x1.b9827b1932137p-20)
        .times(u, plus: -0x1.f4ca949662012p-17)
        .times(u, plus: 0x1.f9a2bf738ef29p-14)
        .times(u, plus: -0x1.c02db072ed591p-11)
        .times(u, plus: 0x1.565bccfa9a438p-8)
        .times(u, plus: -0x1.b82ce31206295p-6)
        .times(u, plus: 0x1.ce2f21a041017p-4)
        .times(u, plus: -0x1.812746b0379c2p-2)
        .times(u, plus: 0x1.06eba8214db68p-3)
    #else
      // Truncation 2⁻²⁹·⁷.
      Lanes(repeating: 0x1.4ae484p-14)
        .times(u, plus: -0x1.a485dp-11)
        .times(u, plus: 0x1.5419f2p-8)
        .times(u, plus: -0x1.b7fbb4p-6)
        .times(u, plus: 0x1.ce2d2p-4)
        .times(u, plus: -0x1.81273ep-2)
        .times(u, plus: 0x1.06eba8p-3)
    #endif
  }

  /// L(x) on 1 ≤ x ≤ `saturation`, weighted by erfc x (the absolute error of erf).
  @inline(__always)
  private static func farSeries(_ x: Lanes) -> Lanes {
    #if REAL64
      // Truncation 2⁻⁵⁷·¹.
      Lanes(repeating: 0x1.565b264ab9833p-38)
        .times(x, plus: -0x1.bc48d49233cacp-33)
        .times(x, plus: 0x1.0b52cfa5bad3cp-28)
        .times(x, plus: -0x1.8a919ec82b921p-25)
        .times(x, plus: 0x1.8cd2c8ba77bb3p-22)
        .times(x, plus: -0x1.1bd8fbb16b88ap-19)
        .times(x, plus: 0x1.1fdc417143341p-17)
        .times(x, plus: -0x1.7a0bb8433a2eep-16)
        .times(x, plus: 0x1.478e67cf43c7ep-16)
        .times(x, plus: 0x1.1e5fe7c783e8fp-13)
        .times(x, plus: -0x1.954c0fc6f8f60p-11)
        .times(x, plus: 0x1.f70a3f7a4bdfcp-10)
        .times(x, plus: -0x1.b19fd6bd48ad1p-12)
        .times(x, plus: -0x1.37199ef5c92cep-6)
        .times(x, plus: 0x1.a4ab27ff5959ap-4)
        .times(x, plus: 0x1.45f635a7bb614p-1)
        .times(x, plus: 0x1.20dd1e300ad94p0)
        .times(x, plus: 0x1.138b71fc9b420p-21)
    #else
      // Truncation 2⁻³⁵·⁵.
      Lanes(repeating: 0x1.6bd6aap-16)
        .times(x, plus: -0x1.cec51ap-12)
        .times(x, plus: 0x1.138c74p-8)
        .times(x, plus: -0x1.9d02d4p-6)
        .times(x, plus: 0x1.bc1502p-4)
        .times(x, plus: 0x1.44356ap-1)
        .times(x, plus: 0x1.212c0cp0)
        .times(x, plus: -0x1.8a5384p-13)
    #endif
  }
}
