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
    let top = TransposedHalves(row(0), row(1), row(2), row(3))
    let bottom = TransposedHalves(row(4), row(5), row(6), row(7))
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
