/// Panels of a matrix in the order in which the micro-kernel reads them.
///
/// A panel holds `width` consecutive rows of a matrix (or columns, given as rows of its transpose), p by p:
///
///     panel[p · width + i] = matrix[first + i, p],   0 for rows beyond the last
///
/// so that the inner loop walks through memory in one direction, whatever the strides were.
enum Packing {
  /// The packed panels are written in vectors of eight, which may reach this far beyond the last number.
  static let slack = 8

  /// The numbers that the panels of `count` rows take, `slack` included.
  static func space(_ count: Int, _ k: Int, width: Int) -> Int { (count + width - 1) / width * width * k + slack }

  /// Packs rows `rows` and columns `columns` of `matrix`, panel after panel.
  static func pack(
    _ matrix: MatrixView, rows: Range<Int>, columns: Range<Int>, width: Int, into panels: UnsafeMutablePointer<Real>
  ) {
    // Two copies of the same loops: what asks for no mask must not pay for one.
    if let mask = matrix.mask {
      pack(matrix, mask, rows, columns, width, panels)
    } else {
      pack(matrix, PlainNumbers(), rows, columns, width, panels)
    }
  }

  /// Packs columns `columns` and rows `depth` of a B, a panel of it a piece of work.
  static func packColumns(
    of b: MatrixView, _ columns: Range<Int>, _ depth: Range<Int>, isParallel: Bool,
    into panels: UnsafeMutablePointer<Real>
  ) {
    let count = (columns.count + Tile.columns - 1) / Tile.columns
    Parallel.forEach(count, isParallel: isParallel) { panel in
      let first = columns.lowerBound + panel * Tile.columns
      pack(
        b.transposed, rows: first..<min(first + Tile.columns, columns.upperBound), columns: depth, width: Tile.columns,
        into: panels + panel * Tile.columns * depth.count)
    }
    b.shift?.add(to: panels, columns, depth)
  }

  @inline(__always)
  private static func pack<Numbers: PackedNumbers>(
    _ matrix: MatrixView, _ numbers: Numbers, _ rows: Range<Int>, _ columns: Range<Int>, _ width: Int,
    _ panels: UnsafeMutablePointer<Real>
  ) {
    var panel = panels
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: width) {
      let from = matrix.base + (first &* matrix.rowStride &+ columns.lowerBound &* matrix.columnStride)
      let count = min(width, rows.upperBound - first)
      if matrix.rowStride == 1 && count == width {
        copy(numbers, from, columnStride: matrix.columnStride, columns.count, width, panel)
      } else if matrix.columnStride == 1 {
        transpose(numbers, from, rowStride: matrix.rowStride, count, columns.count, width, panel)
      } else {
        gather(numbers, from, matrix.rowStride, matrix.columnStride, count, 0..<columns.count, width, panel)
      }
      panel += width &* columns.count
    }
  }

  /// Any strides and any number of rows, one number at a time: the definition.
  @inline(__always)
  private static func gather<Numbers: PackedNumbers>(
    _ numbers: Numbers, _ from: UnsafePointer<Real>, _ rowStride: Int, _ columnStride: Int, _ count: Int,
    _ columns: Range<Int>, _ width: Int, _ panel: UnsafeMutablePointer<Real>
  ) {
    for p in columns {
      let line = panel + p &* width
      for i in 0..<count { line[i] = numbers.number(at: from + (i &* rowStride &+ p &* columnStride)) }
      for i in count..<width { line[i] = 0 }
    }
  }

  /// A full panel whose rows are neighbours in memory: a copy a column.
  @inline(__always)
  private static func copy<Numbers: PackedNumbers>(
    _ numbers: Numbers, _ from: UnsafePointer<Real>, columnStride: Int, _ columns: Int, _ width: Int,
    _ panel: UnsafeMutablePointer<Real>
  ) {
    var from = from
    var line = panel
    for _ in 0..<columns {
      numbers.copy(from, to: line, count: width)
      from += columnStride
      line += width
    }
  }

  /// Rows of consecutive numbers: squares of 8 × 8 are transposed in registers.
  @inline(__always)
  private static func transpose<Numbers: PackedNumbers>(
    _ numbers: Numbers, _ from: UnsafePointer<Real>, rowStride: Int, _ count: Int, _ columns: Int, _ width: Int,
    _ panel: UnsafeMutablePointer<Real>
  ) {
    let whole = columns & ~7
    for p in stride(from: 0, to: whole, by: 8) {
      // From the last square up: one that reaches beyond `width` spills into the lines of later p, written after it.
      var top = (width - 1) & ~7
      while top >= 0 {
        Square(numbers, from + (top &* rowStride &+ p), rowStride: rowStride, count: count - top)
          .storeTransposed(to: panel + (p &* width &+ top), stride: width)
        top -= 8
      }
    }
    gather(numbers, from, rowStride, 1, count, whole..<columns, width, panel)
  }
}

/// Eight rows of eight numbers.
private struct Square {
  private typealias Eight = SIMD8<Real>
  private var r0, r1, r2, r3, r4, r5, r6, r7: Eight

  /// The first `count` rows; the others are 0.
  @inline(__always)
  init(_ numbers: some PackedNumbers, _ from: UnsafePointer<Real>, rowStride: Int, count: Int) {
    @inline(__always)
    func row(_ i: Int) -> Eight { i < count ? numbers.eight(at: from + i &* rowStride) : Eight() }
    (r0, r1, r2, r3) = (row(0), row(1), row(2), row(3))
    (r4, r5, r6, r7) = (row(4), row(5), row(6), row(7))
  }

  @inline(__always)
  func storeTransposed(to pointer: UnsafeMutablePointer<Real>, stride: Int) {
    @inline(__always)
    func store(_ row: Eight, _ i: Int) {
      UnsafeMutableRawPointer(pointer + i &* stride).storeBytes(of: row, as: Eight.self)
    }
    // A perfect shuffle of all 64 numbers moves the index bits (row, column) round by one: three make the transpose.
    let t = shuffled.shuffled.shuffled
    store(t.r0, 0)
    store(t.r1, 1)
    store(t.r2, 2)
    store(t.r3, 3)
    store(t.r4, 4)
    store(t.r5, 5)
    store(t.r6, 6)
    store(t.r7, 7)
  }

  /// The first four rows interleaved with the last four.
  private var shuffled: Square {
    @inline(__always) get {
      var s = self
      (s.r0, s.r1) = Square.interleaved(r0, r4)
      (s.r2, s.r3) = Square.interleaved(r1, r5)
      (s.r4, s.r5) = Square.interleaved(r2, r6)
      (s.r6, s.r7) = Square.interleaved(r3, r7)
      return s
    }
  }

  @inline(__always)
  private static func interleaved(_ a: Eight, _ b: Eight) -> (Eight, Eight) {
    (
      Eight(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]),
      Eight(a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7])
    )
  }
}
