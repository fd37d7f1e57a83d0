import Tensor

/// Uniform random numbers from 64-bit random words, by rules that are part of the definition: the same generator gives
/// the same crops on every machine and with every toolchain.
package enum UniformDraw {
  /// A number in [0, 1): the high 53 bits of one word over 2⁵³.
  package static func real(using generator: inout some RandomNumberGenerator) -> Double {
    Double(generator.next() >> 11) * 0x1p-53
  }

  /// low + (high − low) u, with u as above.
  package static func real(in range: ClosedRange<Double>, using generator: inout some RandomNumberGenerator) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * real(using: &generator)
  }

  /// An integer in 0..<bound: a word modulo `bound`, where words of the last incomplete run of `bound` values below
  /// 2⁶⁴ are redrawn, so that all are equally likely. Traps when bound is not positive.
  package static func integer(below bound: Int, using generator: inout some RandomNumberGenerator) -> Int {
    require(bound > 0, "uniform integer: expected a bound above 0, found \(bound)")
    let bound = UInt64(bound)
    // 2⁶⁴ mod bound, in 64 bits.
    let excess = (0 &- bound) % bound
    while true {
      let word: UInt64 = generator.next()
      if word <= UInt64.max - excess { return Int(word % bound) }
    }
  }
}
