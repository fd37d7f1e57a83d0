extension Product {
  /// At most this many rows are multiplied without packing anything: of five on, packing pays.
  private static let mostFewRows = 4

  /// One row of fewer steps is multiplied by `FewRowsKernel` where columns of B are consecutive.
  private static let fewestSteps = 512

  /// Computes columns of C from the first on by `FewRowsKernel` or `OneRowKernel`: all but fewer than a register holds;
  /// none if there are many rows, or if B is packed or changed when it is read.
  ///
  /// - Returns: the number of columns that are done.
  func addFewRows(_ m: Int, _ n: Int) -> Int {
    guard m <= Self.mostFewRows, case .view(let b) = b, b.isPlain else { return 0 }
    let isTransposed = b.rowStride == 1
    guard isTransposed || b.columnStride == 1 else { return 0 }
    let bStride = isTransposed ? b.columnStride : b.rowStride
    let unit = isTransposed ? EightColumns.count : Register.scalarCount
    if m == 1 && (!isTransposed || depth >= Self.fewestSteps) {
      let kernel = OneRowKernel(
        depth: depth, a: a.base, aStep: a.columnStride, b: b.base, bStride: bStride, c: c, start: start?.base)
      guard n >= unit else { return 0 }
      forEachPiece(n, unit) { columns in
        if isTransposed {
          withScratch(kernel.space) { kernel.addTransposed(columns, scratch: $0) }
        } else {
          kernel.addLines(columns)
        }
        finish?(0..<m, columns)
      }
      return n
    }
    let kernel = FewRowsKernel(
      rows: m, depth: depth, a: a.base, aRow: a.rowStride, aStep: a.columnStride, b: b.base, bStride: bStride, c: c,
      cStride: cStride, start: start)
    let whole = n / unit * unit
    forEachPiece(whole, unit) { columns in
      if isTransposed { kernel.addTransposed(columns) } else { kernel.addLines(columns) }
      finish?(0..<m, columns)
    }
    return whole
  }

  /// Calls `body` with ranges that cover 0 ..< `n`, cut at multiples of `unit` for the threads.
  func forEachPiece(_ n: Int, _ unit: Int, _ body: (Range<Int>) -> Void) {
    let units = n / unit
    let pieces = isParallel ? min(units, Blocks.piecesEach * Parallel.threads) : min(units, 1)
    Parallel.forEach(pieces, isParallel: isParallel) { piece in
      body(units * piece / pieces * unit..<(piece + 1 == pieces ? n : units * (piece + 1) / pieces * unit))
    }
  }
}
