/// Panels of a matrix in the order in which the micro-kernel reads them.
///
/// A panel holds `width` consecutive rows of a matrix (or columns, given as rows of its transpose), p by p:
///
///     panel[p · width + i] = matrix[first + i, p],   0 for rows beyond the last
///
/// so that the inner loop walks through memory in one direction, whatever the strides were.
enum Packing {
  /// The packed panels are written in vectors of eight, which may reach this far beyond the last element.
  static let slack = 8

  /// The number of elements of the panels of `count` rows, including `slack`.
  static func space(_ count: Int, _ k: Int, width: Int) -> Int { (count + width - 1) / width * width * k + slack }

  /// Packs rows `rows` and columns `columns` of `matrix`, panel after panel.
  static func pack(
    _ matrix: MatrixView, rows: Range<Int>, columns: Range<Int>, width: Int, into panels: UnsafeMutablePointer<Real>
  ) {
    let whole = matrix.rowStride == 1 ? rows.count / width : 0
    copy(matrix, rows.lowerBound, columns, panels: whole, width, panels)
    var panel = panels + whole &* width &* columns.count
    for first in stride(from: rows.lowerBound + whole * width, to: rows.upperBound, by: width) {
      let from = matrix.base + (first &* matrix.rowStride &+ columns.lowerBound &* matrix.columnStride)
      let present = rows.upperBound - first
      if matrix.columnStride == 1 {
        if let mask = matrix.mask {
          transpose(from, mask, rowStride: matrix.rowStride, min(present, width), columns.count, width, panel)
        } else {
          transpose(from, rowStride: matrix.rowStride, present, columns.count, width, panel)
        }
      } else if matrix.rowStride == 1 && matrix.mask == nil && present >= 8 && present < width {
        copyPart(from, columnStride: matrix.columnStride, columns.count, present, width, panel)
      } else {
        gather(matrix, first..<first + min(present, width), columns, width, panel)
      }
      panel += width &* columns.count
    }
  }

  /// Packs columns `columns` and rows `depth` of a B, some of its panels per piece of work.
  static func packColumns(
    of b: MatrixView, _ columns: Range<Int>, _ depth: Range<Int>, isParallel: Bool,
    into panels: UnsafeMutablePointer<Real>
  ) {
    let count = (columns.count + Tile.columns - 1) / Tile.columns
    let group = 4
    Parallel.forEach((count + group - 1) / group, isParallel: isParallel) { piece in
      let first = piece * group * Tile.columns
      let rows = columns.lowerBound + first..<min(columns.lowerBound + first + group * Tile.columns, columns.upperBound)
      pack(b.transposed, rows: rows, columns: depth, width: Tile.columns, into: panels + first * depth.count)
    }
    b.shift?.add(to: panels, columns, depth)
  }

  /// Any strides and any number of rows, one element at a time: the definition.
  private static func gather(
    _ matrix: MatrixView, _ rows: Range<Int>, _ columns: Range<Int>, _ width: Int, _ panel: UnsafeMutablePointer<Real>
  ) {
    var line = panel
    for p in columns {
      for i in rows { line[i &- rows.lowerBound] = matrix[i, p] }
      for i in rows.count..<width { line[i] = 0 }
      line += width
    }
  }

  /// Full panels of rows that are neighbours in memory. Some columns of all panels at a time: memory is read in runs as
  /// long as the panels are wide together, and few pages are in use at once.
  private static func copy(
    _ matrix: MatrixView, _ first: Int, _ columns: Range<Int>, panels: Int, _ width: Int,
    _ panel: UnsafeMutablePointer<Real>
  ) {
    let piece = 32
    for p in stride(from: columns.lowerBound, to: columns.upperBound, by: piece) {
      let count = min(piece, columns.upperBound - p)
      for index in 0..<panels {
        copy(
          matrix.base + (first &+ index &* width &+ p &* matrix.columnStride), matrix.mask,
          columnStride: matrix.columnStride, count, width,
          panel + (index &* columns.count &+ p &- columns.lowerBound) &* width)
      }
    }
  }

  /// Columns of `width` neighbours each.
  private static func copy(
    _ from: UnsafePointer<Real>, _ mask: MemoryMask?, columnStride: Int, _ columns: Int, _ width: Int,
    _ panel: UnsafeMutablePointer<Real>
  ) {
    var from = from
    var line = panel
    if let mask {
      for _ in 0..<columns {
        mask.copy(from, to: line, count: width)
        from += columnStride
        line += width
      }
    } else {
      // Vectors of eight may reach beyond `width`: they read what the next column begins with, or numbers between, and
      // write what the next line replaces. The last column has no next.
      let vectors = columnStride >= width ? columns - 1 : 0
      for _ in 0..<vectors {
        var i = 0
        while i < width {
          let eight = UnsafeRawPointer(from + i).loadUnaligned(as: SIMD8<Real>.self)
          UnsafeMutableRawPointer(line + i).storeBytes(of: eight, as: SIMD8<Real>.self)
          if i & 15 == 0 { prefetch(from + (i &+ 4 &* columnStride)) }
          i &+= 8
        }
        from += columnStride
        line += width
      }
      for _ in vectors..<columns {
        line.update(from: from, count: width)
        from += columnStride
        line += width
      }
    }
  }

  /// Columns of `present` neighbours each, 8 ≤ present < width, and zeros.
  private static func copyPart(
    _ from: UnsafePointer<Real>, columnStride: Int, _ columns: Int, _ present: Int, _ width: Int,
    _ panel: UnsafeMutablePointer<Real>
  ) {
    let last = present &- 8
    var (from, line) = (from, panel)
    for _ in 0..<columns {
      // Vectors of zeros may reach into the next line, which is written after it.
      var i = present & ~7
      while i < width {
        UnsafeMutableRawPointer(line + i).storeBytes(of: SIMD8<Real>(), as: SIMD8<Real>.self)
        i &+= 8
      }
      i = 0
      repeat {
        // The last vector begins so early that it has eight numbers, too.
        let start = min(i, last)
        let eight = UnsafeRawPointer(from + start).loadUnaligned(as: SIMD8<Real>.self)
        UnsafeMutableRawPointer(line + start).storeBytes(of: eight, as: SIMD8<Real>.self)
        i &+= 8
      } while i < present
      from += columnStride
      line += width
    }
  }

  /// Rows of consecutive elements: pieces of 8 × 8 are transposed in registers.
  ///
  /// - present: the number of rows from the first on, more than `width` where other panels follow.
  private static func transpose(
    _ from: UnsafePointer<Real>, rowStride: Int, _ present: Int, _ columns: Int, _ width: Int,
    _ panel: UnsafeMutablePointer<Real>
  ) {
    guard columns >= 8 else {
      let view = MatrixView(from, rowStride: rowStride)
      return gather(view, 0..<min(present, width), 0..<columns, width, panel)
    }
    let rows = RowOffsets(stride: rowStride)
    // Some lines of the cache a row, then the next rows: far rows would push each other out before all of a line is
    // read.
    for line in stride(from: 0, to: columns, by: 128) {
      let end = min(line &+ 128, columns)
      // From the last piece up: one that reaches beyond `width` spills into the lines of later p, written after it.
      var top = (width &- 1) & ~7
      while top >= 0 {
        let isFull = present &- top >= 8
        var p = line
        while p < end {
          // The last piece begins so early that it has eight columns, too: some of them are written twice.
          let first = p < columns &- 8 ? p : columns &- 8
          let (from, line) = (from + (top &* rowStride &+ first), panel + (first &* width &+ top))
          // Once a line of the cache: the same of the eight rows that come next. A pointer minus a number tests for
          // overflow.
          if p & 15 == 0 { for i in 1...8 { prefetch(from + (0 &- i &* rowStride)) } }
          if isFull {
            TransposePiece(from, rows).storeTransposed(to: line, stride: width)
          } else {
            TransposePiece(from, rows, count: present &- top).storeTransposed(to: line, stride: width)
          }
          p &+= 8
        }
        top &-= 8
      }
    }
  }

  /// The same under a mask: some columns of the rows at a time are masked in the first-level cache, and transposed from
  /// there.
  private static func transpose(
    _ from: UnsafePointer<Real>, _ mask: MemoryMask, rowStride: Int, _ count: Int, _ columns: Int, _ width: Int,
    _ panel: UnsafeMutablePointer<Real>
  ) {
    let piece = 64
    withUnsafeTemporaryAllocation(of: Real.self, capacity: Tile.columns * piece) { masked in
      guard let masked = masked.baseAddress else { return }
      for p in stride(from: 0, to: columns, by: piece) {
        let present = min(piece, columns - p)
        for i in 0..<count { mask.copy(from + (i &* rowStride &+ p), to: masked + i &* piece, count: present) }
        transpose(UnsafePointer(masked), rowStride: piece, count, present, width, panel + p &* width)
      }
    }
  }
}
