/// Four rows of eight elements, the 4 × 4 elements of each half transposed in registers: `x0` holds columns 0 and 4, …
///
/// Elements of neighbouring rows are interleaved, then pairs of them: eight shuffles.
struct TransposedHalves {
  typealias Eight = SIMD8<Real>

  let x0, x1, x2, x3: Eight

  @inline(__always)
  init(_ a: Eight, _ b: Eight, _ c: Eight, _ d: Eight) {
    let (t0, t1, t2, t3) = (Self.low(a, b), Self.high(a, b), Self.low(c, d), Self.high(c, d))
    (x0, x1) = (Self.low(pairs: t0, t2), Self.high(pairs: t0, t2))
    (x2, x3) = (Self.low(pairs: t1, t3), Self.high(pairs: t1, t3))
  }

  /// The first two elements of each half, interleaved.
  @inline(__always)
  private static func low(_ a: Eight, _ b: Eight) -> Eight {
    Eight(a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5])
  }

  /// The last two elements of each half, interleaved.
  @inline(__always)
  private static func high(_ a: Eight, _ b: Eight) -> Eight {
    Eight(a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7])
  }

  // Pairs of `Float` move as integers of their size: as numbers the compiler would follow each back to its row, and
  // lose sight of the two shuffles that are one instruction each.
  #if REAL64
    /// The first pair of each half, one after another.
    @inline(__always)
    private static func low(pairs a: Eight, _ b: Eight) -> Eight {
      Eight(a[0], a[1], b[0], b[1], a[4], a[5], b[4], b[5])
    }

    /// The second pair of each half, one after another.
    @inline(__always)
    private static func high(pairs a: Eight, _ b: Eight) -> Eight {
      Eight(a[2], a[3], b[2], b[3], a[6], a[7], b[6], b[7])
    }
  #else
    /// The first pair of each half, one after another.
    @inline(__always)
    private static func low(pairs a: Eight, _ b: Eight) -> Eight {
      let (a, b) = (unsafeBitCast(a, to: SIMD4<UInt64>.self), unsafeBitCast(b, to: SIMD4<UInt64>.self))
      return unsafeBitCast(SIMD4(a[0], b[0], a[2], b[2]), to: Eight.self)
    }

    /// The second pair of each half, one after another.
    @inline(__always)
    private static func high(pairs a: Eight, _ b: Eight) -> Eight {
      let (a, b) = (unsafeBitCast(a, to: SIMD4<UInt64>.self), unsafeBitCast(b, to: SIMD4<UInt64>.self))
      return unsafeBitCast(SIMD4(a[1], b[1], a[3], b[3]), to: Eight.self)
    }
  #endif
}
