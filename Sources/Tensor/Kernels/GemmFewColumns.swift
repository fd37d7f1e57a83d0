extension Product {
  /// At most this many columns beyond whole registers are multiplied apart.
  private static let mostFewColumns = 4

  /// Products of fewer rows have no columns apart.
  private static let fewestRows = 16

  /// Computes the last columns of C by `FewRowsKernel`, as rows of Cᵀ = Bᵀ Aᵀ, if they are few: in the micro-kernel one
  /// column takes as long as a register of them. None if an operand is packed or changed when it is read.
  ///
  /// - Returns: the number of columns that are left to do.
  func addFewColumns(_ m: Int, _ n: Int) -> Int {
    let count = n % Register.scalarCount
    guard 1...Self.mostFewColumns ~= count, m >= Self.fewestRows else { return n }
    guard case .view(let b) = b, b.isPlain, a.isPlain else { return n }
    // Rows of A are columns of Aᵀ.
    let isTransposed = a.columnStride == 1
    guard isTransposed || a.rowStride == 1 else { return n }
    let first = n - count
    withScratch(2 * count * m) { sums in
      let old = sums + count * m
      if let start {
        for i in 0..<m { for j in 0..<count { old[j * m + i] = start.base[i * start.stride + first + j] } }
      }
      let kernel = FewRowsKernel(
        rows: count, depth: depth, a: b.base + first * b.columnStride, aRow: b.columnStride, aStep: b.rowStride,
        b: a.base, bStride: isTransposed ? a.rowStride : a.columnStride, c: sums, cStride: m,
        start: start == nil ? nil : (UnsafePointer(old), m))
      let unit = isTransposed ? EightColumns.count : Register.scalarCount
      func add(_ rows: Range<Int>) {
        if isTransposed { kernel.addTransposed(rows) } else { kernel.addLines(rows) }
      }
      let whole = m / unit * unit
      forEachPiece(whole, unit, add)
      // The last rows once more with those before them.
      if whole < m { add(m - unit..<m) }
      for i in 0..<m { for j in 0..<count { c[i * cStride + first + j] = sums[j * m + i] } }
    }
    finish?(0..<m, first..<n)
    return first
  }
}
