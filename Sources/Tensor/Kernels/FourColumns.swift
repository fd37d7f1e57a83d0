/// Eight rows of four elements, transposed in registers.
///
/// A register is put together from four elements of a row and four of the fourth row below while they are loaded. Then
/// elements of neighbouring rows are interleaved, then pairs of them: sixteen shuffles for 64 elements, where
/// `TransposePiece` takes 24 and half the loads, of which a product of several rows has more.
struct FourColumns {
  typealias Eight = SIMD8<Real>

  /// The columns, from the first to the last.
  let columns: (Eight, Eight, Eight, Eight)

  /// The elements at `from`, and at the offsets of seven other rows from it.
  @inline(__always)
  init(_ from: UnsafePointer<Real>, _ rows: RowOffsets) {
    @inline(__always)
    func row(_ index: Int) -> Quad { UnsafeRawPointer(rows.pointer(index, from)).loadUnaligned(as: Quad.self) }
    let (a, b) = (Self.joined(row(0), row(4)), Self.joined(row(1), row(5)))
    let (c, d) = (Self.joined(row(2), row(6)), Self.joined(row(3), row(7)))
    let (t0, t1, t2, t3) = (Self.low(a, b), Self.high(a, b), Self.low(c, d), Self.high(c, d))
    columns = (Self.low(pairs: t0, t2), Self.high(pairs: t0, t2), Self.low(pairs: t1, t3), Self.high(pairs: t1, t3))
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

  // Four elements are loaded, and pairs of `Float` move, as integers: as numbers the compiler would follow each back to
  // its row, and lose sight of the shuffles that are one instruction each.
  #if REAL64
    typealias Quad = SIMD4<Real>

    @inline(__always)
    private static func joined(_ a: Quad, _ b: Quad) -> Eight { Eight(lowHalf: a, highHalf: b) }

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
    typealias Quad = SIMD2<UInt64>

    @inline(__always)
    private static func joined(_ a: Quad, _ b: Quad) -> Eight {
      unsafeBitCast(SIMD4(a[0], a[1], b[0], b[1]), to: Eight.self)
    }

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
