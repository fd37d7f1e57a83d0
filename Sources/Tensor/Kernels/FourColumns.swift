/// Eight rows of four elements, transposed in registers.
///
/// A register is put together from four elements of a row and four of the fourth row below while they are loaded:
/// sixteen shuffles for 64 elements, where `TransposePiece` takes 24 and half the loads, of which a product of several
/// rows has more.
struct FourColumns {
  typealias Eight = SIMD8<Real>

  /// The columns, from the first to the last.
  let columns: (Eight, Eight, Eight, Eight)

  /// The elements at `from`, and at the offsets of seven other rows from it.
  @inline(__always)
  init(_ from: UnsafePointer<Real>, _ rows: RowOffsets) {
    @inline(__always)
    func row(_ index: Int) -> Quad { UnsafeRawPointer(rows.pointer(index, from)).loadUnaligned(as: Quad.self) }
    let halves = TransposedHalves(
      Self.joined(row(0), row(4)), Self.joined(row(1), row(5)), Self.joined(row(2), row(6)),
      Self.joined(row(3), row(7)))
    columns = (halves.x0, halves.x1, halves.x2, halves.x3)
  }

  // Four elements are loaded as integers: as numbers the compiler would follow each back to its row, and lose sight of
  // the shuffles that are one instruction each.
  #if REAL64
    typealias Quad = SIMD4<Real>

    @inline(__always)
    private static func joined(_ a: Quad, _ b: Quad) -> Eight { Eight(lowHalf: a, highHalf: b) }
  #else
    typealias Quad = SIMD2<UInt64>

    @inline(__always)
    private static func joined(_ a: Quad, _ b: Quad) -> Eight {
      unsafeBitCast(SIMD4(a[0], a[1], b[0], b[1]), to: Eight.self)
    }
  #endif
}
