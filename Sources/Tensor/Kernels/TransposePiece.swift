/// Eight rows of eight elements, transposed in registers.
struct TransposePiece {
  typealias Eight = SIMD8<Real>

  /// The columns, from the first to the last.
  let columns: (Eight, Eight, Eight, Eight, Eight, Eight, Eight, Eight)

  /// The elements at `from`, and at the offsets of seven other rows from it.
  @inline(__always)
  init(_ from: UnsafePointer<Real>, _ rows: RowOffsets) {
    self.init { rows.load($0, from) }
  }

  /// The first `count` rows; the others are 0.
  @inline(__always)
  init(_ from: UnsafePointer<Real>, _ rows: RowOffsets, count: Int) {
    self.init { $0 < count ? rows.load($0, from) : Eight() }
  }

  /// Elements of neighbouring rows are interleaved, then pairs of them, then halves.
  @inline(__always)
  private init(_ row: (Int) -> Eight) {
    let (top, bottom) = (Half(row(0), row(1), row(2), row(3)), Half(row(4), row(5), row(6), row(7)))
    columns = (
      Eight(lowHalf: top.x0.lowHalf, highHalf: bottom.x0.lowHalf),
      Eight(lowHalf: top.x1.lowHalf, highHalf: bottom.x1.lowHalf),
      Eight(lowHalf: top.x2.lowHalf, highHalf: bottom.x2.lowHalf),
      Eight(lowHalf: top.x3.lowHalf, highHalf: bottom.x3.lowHalf),
      Eight(lowHalf: top.x0.highHalf, highHalf: bottom.x0.highHalf),
      Eight(lowHalf: top.x1.highHalf, highHalf: bottom.x1.highHalf),
      Eight(lowHalf: top.x2.highHalf, highHalf: bottom.x2.highHalf),
      Eight(lowHalf: top.x3.highHalf, highHalf: bottom.x3.highHalf)
    )
  }

  /// Four rows, whose 4 × 4 elements are transposed in each half: `x0` holds columns 0 and 4, …
  private struct Half {
    let x0, x1, x2, x3: Eight

    @inline(__always)
    init(_ a: Eight, _ b: Eight, _ c: Eight, _ d: Eight) {
      let (t0, t1) = (TransposePiece.low(a, b), TransposePiece.high(a, b))
      let (t2, t3) = (TransposePiece.low(c, d), TransposePiece.high(c, d))
      (x0, x1) = (TransposePiece.low(pairs: t0, t2), TransposePiece.high(pairs: t0, t2))
      (x2, x3) = (TransposePiece.low(pairs: t1, t3), TransposePiece.high(pairs: t1, t3))
    }
  }

  /// Writes the columns, `stride` apart.
  @inline(__always)
  func storeTransposed(to pointer: UnsafeMutablePointer<Real>, stride: Int) {
    @inline(__always)
    func store(_ column: Eight, _ i: Int) {
      UnsafeMutableRawPointer(pointer + i &* stride).storeBytes(of: column, as: Eight.self)
    }
    store(columns.0, 0)
    store(columns.1, 1)
    store(columns.2, 2)
    store(columns.3, 3)
    store(columns.4, 4)
    store(columns.5, 5)
    store(columns.6, 6)
    store(columns.7, 7)
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

/// The offsets of eight rows in bytes, each in a register of its own: as products they would be calculated anew for
/// every piece.
struct RowOffsets {
  private let one, two, three, four, five, six, seven: Int

  /// Rows `stride` elements apart.
  @inline(__always)
  init(stride: Int) {
    let bytes = stride &* MemoryLayout<Real>.stride
    (one, two, three, four) = (bytes, 2 &* bytes, 3 &* bytes, 4 &* bytes)
    (five, six, seven) = (5 &* bytes, 6 &* bytes, 7 &* bytes)
  }

  @inline(__always)
  private func offset(_ row: Int) -> Int {
    switch row {
    case 0: 0
    case 1: one
    case 2: two
    case 3: three
    case 4: four
    case 5: five
    case 6: six
    default: seven
    }
  }

  /// The address of a row.
  @inline(__always)
  func pointer(_ row: Int, _ from: UnsafePointer<Real>) -> UnsafePointer<Real> {
    (UnsafeRawPointer(from) + offset(row)).assumingMemoryBound(to: Real.self)
  }

  /// Eight elements of a row.
  @inline(__always)
  func load(_ row: Int, _ from: UnsafePointer<Real>) -> SIMD8<Real> {
    (UnsafeRawPointer(from) + offset(row)).loadUnaligned(as: SIMD8<Real>.self)
  }

  /// One element of each row.
  @inline(__always)
  func column(_ from: UnsafePointer<Real>) -> SIMD8<Real> {
    var column = SIMD8<Real>()
    for row in 0..<8 { column[row] = (UnsafeRawPointer(from) + offset(row)).load(as: Real.self) }
    return column
  }

  /// Prefetches the lines of the cache with these elements.
  @inline(__always)
  func prefetchAll(_ from: UnsafePointer<Real>) {
    for row in 0..<8 { prefetch((UnsafeRawPointer(from) + offset(row)).assumingMemoryBound(to: Real.self)) }
  }
}
