// The 16-bit and 8-bit floating-point formats of weight files, widened to `Float` and narrowed from it.
//
// Written with integer operations and without branches, so that the loops over them vectorise on every target:
// `Float16` is missing from Swift on some of them, and is a library call per number on others.

/// The widening and narrowing of half-width floating-point numbers, each given by its bits.
package enum HalfPrecision {
  /// IEEE binary16 (1 sign, 5 exponent, 10 fraction bits) as a `Float`, exactly.
  ///
  /// - Normal: the exponent's bias grows from 15 to 127, by 112.
  /// - Infinite or not a number: the exponent grows from 31 to 255, by 112 twice.
  /// - Subnormal, fraction f: f 2⁻²⁴ = 2⁻¹⁴ (1 + f 2⁻¹⁰) − 2⁻¹⁴, of which the first number is again the fraction under
  ///   another exponent; unlike a product with a subnormal `Float`, this difference costs no detour in the processor.
  @inline(__always)
  package static func float(binary16 bits: UInt16) -> Float {
    let magnitude = UInt32(bits & 0x7fff) << 13
    let rebias: UInt32 = 112 << 23
    let wide = magnitude &+ rebias &+ (magnitude >= 0x7c00 << 13 ? rebias : 0)
    let subnormal = Float(bitPattern: magnitude &+ (113 << 23)) - 0x1p-14
    let value = magnitude < 0x0400 << 13 ? subnormal.bitPattern : wide
    return Float(bitPattern: value | UInt32(bits & 0x8000) << 16)
  }

  /// bfloat16, the upper half of a `Float`, as a `Float`, exactly.
  @inline(__always)
  package static func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  /// The binary16 number nearest to a `Float`, ties to the even one; infinite from 65520 up.
  package static func binary16(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.bitPattern & 0x7fff_ffff
    if magnitude > 0x7f80_0000 { return sign | 0x7e00 }
    // 65520 lies halfway between the largest finite number and the next one, 2¹⁶.
    if magnitude >= 0x477f_f000 { return sign | 0x7c00 }
    // Below 2⁻¹⁴ the numbers are multiples of 2⁻²⁴: adding ½ makes that the distance of neighbours, and the rounding
    // of the sum is the rounding wanted.
    if magnitude < 113 << 23 {
      return sign | UInt16((Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern)
    }
    let odd = (magnitude >> 13) & 1
    return sign | UInt16((magnitude &- (112 << 23) &+ 0xfff &+ odd) >> 13)
  }

  /// The bfloat16 number nearest to a `Float`, ties to the even one.
  package static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(bits >> 16) | 0x0040 }
    return UInt16((bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }

  /// The 8-bit format with 5 exponent and 2 fraction bits, exactly: the upper half of a binary16.
  @inline(__always)
  package static func float(e5m2 bits: UInt8) -> Float { float(binary16: UInt16(bits) << 8) }

  /// The 8-bit format with 4 exponent bits (bias 7) and 3 fraction bits, exactly (Micikevicius et al. 2022).
  ///
  /// It has no infinity: the largest exponent is an ordinary one, and only all ones is not a number.
  package static func float(e4m3 bits: UInt8) -> Float {
    let exponent = Int(bits >> 3 & 15)
    let fraction = Float(bits & 7) / 8
    if bits & 0x7f == 0x7f { return .nan }
    let magnitude =
      exponent == 0
      ? fraction * 0x1p-6
      : (1 + fraction) * Float(sign: .plus, exponent: exponent - 7, significand: 1)
    return bits >> 7 == 1 ? -magnitude : magnitude
  }
}
