/// Products of one to four rows: an element of B is used so seldom that packing it takes longer than the product.
///
/// C[i, j] = fma(A[i, p], B[p, j], C[i, j]) for p = 0 … k − 1 in order, as in the micro-kernel.
struct FewRowsKernel {
  /// 1 to 4.
  let rows: Int
  /// k
  let depth: Int
  /// The elements of A: rows `aRow` apart, columns `aStep`.
  let a: UnsafePointer<Real>
  let aRow, aStep: Int
  let b: UnsafePointer<Real>
  /// The distance between rows of B, or between columns if these are what is consecutive.
  let bStride: Int
  let c: UnsafeMutablePointer<Real>
  let cStride: Int
  /// The initial values of the sums, rows `stride` apart; `nil` for zeros.
  let start: (base: UnsafePointer<Real>, stride: Int)?

  /// Columns of a B with consecutive rows, a whole number of registers: in place, in lines of many registers, so that
  /// memory is read in long runs.
  func addLines(_ columns: Range<Int>) {
    switch rows {
    case 1: addLines(OneRow<Line8>.self, OneRow<Line1>.self, columns)
    case 2: addLines(Rows2<Line4>.self, Rows2<Line1>.self, columns)
    case 3: addLines(Rows3<WideLine>.self, Rows3<Line1>.self, columns)
    default: addLines(Rows4<WideLine>.self, Rows4<Line1>.self, columns)
    }
  }

  /// Columns of a B with consecutive columns, as the transpose of a weight has, a multiple of eight: pieces of eight by
  /// four elements are transposed in registers.
  func addTransposed(_ columns: Range<Int>) {
    switch rows {
    case 1: addTransposed(OneRow<EightColumns>.self, columns)
    case 2: addTransposed(Rows2<EightColumns>.self, columns)
    case 3: addTransposed(Rows3<EightColumns>.self, columns)
    default: addTransposed(Rows4<EightColumns>.self, columns)
    }
  }

  /// The sums at the beginning, from a column on.
  @inline(__always)
  private func sums<B: Block>(_: B.Type, _ column: Int) -> B {
    start.map { B(loading: $0.base + column, stride: $0.stride) } ?? B()
  }

  /// Wide lines, then single registers.
  @inline(__always)
  private func addLines<Wide: Block, Narrow: Block>(_: Wide.Type, _: Narrow.Type, _ columns: Range<Int>) {
    let wide = Wide.LineType.registers &* Register.scalarCount
    let end = columns.upperBound &- columns.count % wide
    addLines(Wide.self, columns.lowerBound..<end)
    addLines(Narrow.self, end..<columns.upperBound)
  }

  @inline(__always)
  private func addLines<B: Block>(_: B.Type, _ columns: Range<Int>) {
    // Lines come from far: the third-level cache, or memory.
    let ahead = 16 &* bStride
    var column = columns.lowerBound
    while column < columns.upperBound {
      var sums = sums(B.self, column)
      var (line, a) = (b + column, a)
      var p = depth
      while p > 0 {
        B.LineType.prefetch(line + ahead) { prefetch($0) }
        sums.fma(a, aRow, B.LineType(loading: line))
        line += bStride
        a += aStep
        p &-= 1
      }
      sums.store(to: c + column, stride: cStride)
      column &+= B.LineType.registers &* Register.scalarCount
    }
  }

  /// Two groups of eight columns at a time: the sums of one wait for themselves while the other is transposed.
  @inline(__always)
  private func addTransposed<B: Block>(_: B.Type, _ columns: Range<Int>) where B.LineType == EightColumns {
    let offsets = RowOffsets(stride: bStride)
    let whole = depth & ~7
    var column = columns.lowerBound
    while column < columns.upperBound {
      let hasTwo = column &+ EightColumns.count < columns.upperBound
      // A group without a second is computed twice.
      let other = hasTwo ? column &+ EightColumns.count : column
      var (sums0, sums1) = (sums(B.self, column), sums(B.self, other))
      var (b0, b1, a) = (b + column &* bStride, b + other &* bStride, a)
      var p = 0
      while p < whole {
        // The line after the next three of every column: a line has sixteen numbers, of which these are eight.
        offsets.prefetchAll((p & 8 == 0 ? b0 : b1) + 64)
        addEight(&sums0, a, TransposePiece(b0, offsets))
        addEight(&sums1, a, TransposePiece(b1, offsets))
        (b0, b1, a) = (b0 + 8, b1 + 8, a + 8 &* aStep)
        p &+= 8
      }
      while p < depth {
        sums0.fma(a, aRow, EightColumns(x: offsets.column(b0)))
        sums1.fma(a, aRow, EightColumns(x: offsets.column(b1)))
        (b0, b1, a) = (b0 + 1, b1 + 1, a + aStep)
        p &+= 1
      }
      sums0.store(to: c + column, stride: cStride)
      if hasTwo { sums1.store(to: c + other, stride: cStride) }
      column &+= 2 &* EightColumns.count
    }
  }

  /// Eight steps of p for eight columns of B.
  @inline(__always)
  private func addEight<B: Block>(_ sums: inout B, _ a: UnsafePointer<Real>, _ piece: TransposePiece)
  where B.LineType == EightColumns {
    let columns = piece.columns
    sums.fma(a, aRow, EightColumns(x: columns.0))
    sums.fma(a + aStep, aRow, EightColumns(x: columns.1))
    sums.fma(a + 2 &* aStep, aRow, EightColumns(x: columns.2))
    sums.fma(a + 3 &* aStep, aRow, EightColumns(x: columns.3))
    sums.fma(a + 4 &* aStep, aRow, EightColumns(x: columns.4))
    sums.fma(a + 5 &* aStep, aRow, EightColumns(x: columns.5))
    sums.fma(a + 6 &* aStep, aRow, EightColumns(x: columns.6))
    sums.fma(a + 7 &* aStep, aRow, EightColumns(x: columns.7))
  }
}

private typealias Line8 = Pair<Line4, Line4>

/// A line of three or four rows: four rows of four registers are all that AVX2 has.
#if AVX2_TILE
  private typealias WideLine = Line2
#else
  private typealias WideLine = Line4
#endif

/// Eight columns of B, whatever the registers.
struct EightColumns: Line {
  static let count = 8
  var x = SIMD8<Real>()

  @inline(__always) static var registers: Int { 1 }

  @inline(__always) init() {}

  @inline(__always) init(x: SIMD8<Real>) { self.x = x }

  @inline(__always)
  init(loading pointer: UnsafePointer<Real>) { x = UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Real>.self) }

  @inline(__always)
  func store(to pointer: UnsafeMutablePointer<Real>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: x, as: SIMD8<Real>.self)
  }

  @inline(__always)
  mutating func fma(_ a: Real, _ b: EightColumns) {
    #if NO_FMA
      x += a * b.x
    #else
      x.addProduct(a, b.x)
    #endif
  }
}
