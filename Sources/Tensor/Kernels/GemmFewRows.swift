extension Product {
  /// At most this many rows are multiplied without packing anything: of five on, packing pays.
  private static let mostFewRows = 4

  /// Computes columns of C from the first on by `FewRowsKernel`: all but fewer than a register holds; none if there are
  /// many rows, or if B is packed or changed when it is read.
  ///
  /// - Returns: the number of columns that are done.
  func addFewRows(_ m: Int, _ n: Int) -> Int {
    guard m <= Self.mostFewRows, case .view(let b) = b, b.isPlain else { return 0 }
    let isTransposed = b.rowStride == 1
    guard isTransposed || b.columnStride == 1 else { return 0 }
    let kernel = FewRowsKernel(
      rows: m, depth: depth, a: a.base, aRow: a.rowStride, aStep: a.columnStride, b: b.base,
      bStride: isTransposed ? b.columnStride : b.rowStride, c: c, cStride: cStride, start: start)
    let unit = isTransposed ? EightColumns.count : Register.scalarCount
    let units = n / unit
    let pieces = isParallel ? min(units, Blocks.piecesEach * Parallel.threads) : min(units, 1)
    Parallel.forEach(pieces, isParallel: isParallel) { piece in
      let columns = units * piece / pieces * unit..<units * (piece + 1) / pieces * unit
      if isTransposed { kernel.addTransposed(columns) } else { kernel.addLines(columns) }
      finish?(0..<m, columns)
    }
    return units * unit
  }
}
