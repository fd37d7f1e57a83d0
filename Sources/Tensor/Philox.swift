/// Philox4x32-10, the counter-based generator of Salmon et al. 2011 ("Parallel random numbers: as easy as 1, 2, 3").
///
/// Ten rounds of two 32 × 32 → 64 bit products turn a counter of four words into four random words. There is no state:
/// any thread can compute any block, in any order, with the same results.
///
///     (c₀, c₁, c₂, c₃) ← (hi(M₁ c₂) ⊕ c₁ ⊕ k₀, lo(M₁ c₂), hi(M₀ c₀) ⊕ c₃ ⊕ k₁, lo(M₀ c₀))
///
/// The two key words grow by the constants W₀ and W₁ from round to round.
enum Philox {
  static let rounds = 10
  static let multipliers: (UInt64, UInt64) = (0xd251_1f53, 0xcd9e_8d57)
  static let increments: (UInt32, UInt32) = (0x9e37_79b9, 0xbb67_ae85)

  /// The four random words of one counter.
  static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<rounds {
      let p0 = multipliers.0 &* UInt64(c[0])
      let p1 = multipliers.1 &* UInt64(c[2])
      c = SIMD4(
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: p0))
      k = SIMD2(k[0] &+ increments.0, k[1] &+ increments.1)
    }
    return c
  }

  /// The words of eight counters whose first 64 bits are `first`, `first` + 1, …, `first` + 7: words 0 and 1 of every
  /// block to `pairs`, then words 2 and 3 of every block.
  ///
  /// Each word lies in the lower half of a lane of 64 bits. The content of the upper halves is arbitrary until the last
  /// lines: a 32 × 32 bit product reads none of it, so a round is two products, two shifts and four ⊕ for eight blocks.
  /// Not inlined: in its caller the compiler permutes lanes in all ten rounds to suit the order of the stores, at a
  /// third of the speed on AVX2 (0.3 instead of 0.9 billion numbers per second).
  @inline(never)
  static func eightBlocks(
    from first: UInt64, _ c2: UInt32, _ c3: UInt32, key: SIMD2<UInt32>, into pairs: UnsafeMutablePointer<UInt64>
  ) {
    let low = SIMD8<UInt64>(repeating: 0xffff_ffff)
    let half = SIMD8<UInt64>(repeating: 32)
    let m0 = SIMD8(repeating: multipliers.0)
    let m1 = SIMD8(repeating: multipliers.1)
    let w0 = SIMD8(repeating: UInt64(increments.0))
    let w1 = SIMD8(repeating: UInt64(increments.1))
    var x0 = SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7) &+ SIMD8(repeating: first)
    var x1 = x0 &>> half
    var x2 = SIMD8(repeating: UInt64(c2))
    var x3 = SIMD8(repeating: UInt64(c3))
    var k0 = SIMD8(repeating: UInt64(key[0]))
    var k1 = SIMD8(repeating: UInt64(key[1]))
    for _ in 0..<rounds {
      let p0 = (x0 & low) &* m0
      let p1 = (x2 & low) &* m1
      x0 = (p1 &>> half) ^ x1 ^ k0
      x2 = (p0 &>> half) ^ x3 ^ k1
      x1 = p1
      x3 = p0
      k0 &+= w0
      k1 &+= w1
    }
    let raw = UnsafeMutableRawPointer(pairs)
    raw.storeBytes(of: (x0 & low) | x1 &<< half, as: SIMD8<UInt64>.self)
    raw.storeBytes(of: (x2 & low) | x3 &<< half, toByteOffset: 64, as: SIMD8<UInt64>.self)
  }
}
