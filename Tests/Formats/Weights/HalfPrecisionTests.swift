import Formats
import Tensor
import Testing

@Suite struct HalfPrecisionTests {
  /// The value of a small float by its definition: (−1)ˢ 2^(e − bias) (1 + f), or 2^(1 − bias) f where e = 0.
  private func value(_ bits: Int, exponentBits: Int, fractionBits: Int, hasInfinity: Bool = true) -> Double {
    let sign: Double = bits >> (exponentBits + fractionBits) & 1 == 1 ? -1 : 1
    let exponent = bits >> fractionBits & (1 << exponentBits - 1)
    let fraction = Double(bits & (1 << fractionBits - 1)) / Double(1 << fractionBits)
    let bias = 1 << (exponentBits - 1) - 1
    if exponent == 1 << exponentBits - 1 && hasInfinity { return fraction == 0 ? sign * .infinity : .nan }
    let power = Double(sign: .plus, exponent: max(exponent, 1) - bias, significand: 1)
    return sign * power * (exponent == 0 ? fraction : 1 + fraction)
  }

  private func same(_ a: Float, _ b: Double) -> Bool {
    (a.isNaN && b.isNaN) || Double(a).bitPattern == b.bitPattern
  }

  @Test func everyBinary16WidensToItsDefinition() {
    for bits in 0...UInt16.max {
      let widened = HalfPrecision.float(binary16: bits)
      if !same(widened, value(Int(bits), exponentBits: 5, fractionBits: 10)) { Issue.record("\(bits): \(widened)") }
    }
  }

  @Test func everyBfloat16WidensToItsDefinition() {
    for bits in 0...UInt16.max {
      let widened = HalfPrecision.float(bfloat16: bits)
      if !same(widened, value(Int(bits), exponentBits: 8, fractionBits: 7)) { Issue.record("\(bits): \(widened)") }
    }
  }

  @Test func everyByteWidensToItsDefinition() {
    for bits in 0...UInt8.max {
      let wide = HalfPrecision.float(e5m2: bits)
      #expect(same(wide, value(Int(bits), exponentBits: 5, fractionBits: 2)), "E5M2 \(bits)")
      let want =
        bits & 0x7f == 0x7f ? .nan : value(Int(bits), exponentBits: 4, fractionBits: 3, hasInfinity: false)
      #expect(same(HalfPrecision.float(e4m3: bits), want), "E4M3 \(bits)")
    }
  }

  @Test func everyBinary16ComesBackFromItsFloat() {
    for bits in 0...UInt16.max {
      let widened = HalfPrecision.float(binary16: bits)
      let narrowed = HalfPrecision.binary16(widened)
      if widened.isNaN ? !HalfPrecision.float(binary16: narrowed).isNaN : narrowed != bits {
        Issue.record("\(bits) became \(narrowed)")
      }
    }
  }

  @Test func everyBfloat16ComesBackFromItsFloat() {
    for bits in 0...UInt16.max {
      let widened = HalfPrecision.float(bfloat16: bits)
      let narrowed = HalfPrecision.bfloat16(widened)
      if widened.isNaN ? !HalfPrecision.float(bfloat16: narrowed).isNaN : narrowed != bits {
        Issue.record("\(bits) became \(narrowed)")
      }
    }
  }

  /// Between two neighbours, the number half way goes to the even one, and its own neighbours to the nearer one.
  private func checkRounding(
    between low: UInt16, widen: (UInt16) -> Float, narrow: (Float) -> UInt16
  ) {
    let middle = Float((Double(widen(low)) + Double(widen(low + 1))) / 2)
    let even = low % 2 == 0 ? low : low + 1
    for sign: Float in [1, -1] {
      let bit: UInt16 = sign < 0 ? 0x8000 : 0
      if narrow(sign * middle) != even | bit || narrow(sign * middle.nextDown) != low | bit
        || narrow(sign * middle.nextUp) != (low + 1) | bit
      {
        Issue.record("rounding between \(low) and \(low + 1)")
      }
    }
  }

  @Test func binary16RoundsToNearestAndTiesToEven() {
    for low in 0..<UInt16(0x7bff) {
      checkRounding(between: low, widen: HalfPrecision.float(binary16:), narrow: HalfPrecision.binary16)
    }
    #expect(HalfPrecision.binary16(65519.996) == 0x7bff)
    #expect(HalfPrecision.binary16(65520) == 0x7c00)
    #expect(HalfPrecision.binary16(-3e38) == 0xfc00)
    #expect(HalfPrecision.binary16(Float.leastNonzeroMagnitude) == 0)
  }

  @Test func bfloat16RoundsToNearestAndTiesToEven() {
    for low in 0..<UInt16(0x7f7f) {
      checkRounding(between: low, widen: HalfPrecision.float(bfloat16:), narrow: HalfPrecision.bfloat16)
    }
    #expect(HalfPrecision.bfloat16(Float.greatestFiniteMagnitude) == 0x7f80)
  }

  /// Over all of `Float`, every 997-th bit pattern here; `Bench accuracy` takes all of them.
  @Test(arguments: NarrowFormat.allCases) func noNumberHasANearerOne(_ format: NarrowFormat) {
    let found = format.misrounded(stride: 997)
    #expect(found.wrong == 0)
    #expect(found.count == 4_307_891)
  }

  @Test func theDefinitionOfTheNearestRefusesNeighbours() {
    for (format, one) in [(NarrowFormat.binary16, UInt16(0x3c00)), (.bfloat16, 0x3f80)] {
      #expect(format.isNearest(one, to: 1))
      #expect(!format.isNearest(one + 1, to: 1))
      #expect(!format.isNearest(one - 1, to: 1))
      #expect(!format.isNearest(one | 0x8000, to: 1))
      let tie = (format.widen(one) + format.widen(one + 1)) / 2
      #expect(format.isNearest(one, to: tie))
      #expect(!format.isNearest(one + 1, to: tie))
      #expect(!format.isNearest(one, to: .nan))
      #expect(!format.isNearest(one, to: .infinity))
    }
    #expect(!NarrowFormat.binary16.isNearest(0x7bff, to: 65520))
    #expect(!NarrowFormat.binary16.isNearest(0x7c00, to: 65519.996))
  }

  /// A NaN stays one of its sign: binary16 gets the same quiet one for all, bfloat16 the upper bits of the payload.
  @Test func notANumberBecomesAQuietOneOfItsSign() {
    for (pattern, half, brain) in [
      (UInt32(0x7fc0_0000), UInt16(0x7e00), UInt16(0x7fc0)), (0xffc0_0000, 0xfe00, 0xffc0),
      (0x7f80_0001, 0x7e00, 0x7fc0), (0xffff_ffff, 0xfe00, 0xffff), (0x7fa5_0000, 0x7e00, 0x7fe5),
    ] {
      #expect(HalfPrecision.binary16(Float(bitPattern: pattern)) == half)
      #expect(HalfPrecision.bfloat16(Float(bitPattern: pattern)) == brain)
    }
  }
}
