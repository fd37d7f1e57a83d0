/// Shifts of single elements of a matrix in memory, applied while it is packed as the right factor B of a product.
struct SparseShift {
  /// The row-major index of each shifted element.
  let positions: UnsafePointer<Int32>
  /// The shift of each.
  let shifts: UnsafePointer<Real>
  let count: Int
  /// The columns of the matrix.
  let width: Int32
  /// True if B is the transpose of the matrix.
  var isTransposed = false

  /// Calls `body` with the shifts of a matrix [rows, width]; the pointers must not outlive the call.
  static func with<Result>(
    _ indices: SparseIndices, _ shifts: Tensor, _ body: (SparseShift?) throws -> Result
  ) rethrows -> Result {
    try indices.positions.withUnsafeBufferPointer { positions in
      try Tensor.read(shifts) { shifts in
        try body(
          positions.baseAddress.map {
            SparseShift(positions: $0, shifts: shifts, count: positions.count, width: Int32(indices.shape[1]))
          })
      }
    }
  }

  /// Adds them to the packed panels of columns `columns` and rows `depth` of B.
  func add(to panels: UnsafeMutablePointer<Real>, _ columns: Range<Int>, _ depth: Range<Int>) {
    for k in 0..<count {
      let (row, column) = positions[k].quotientAndRemainder(dividingBy: width)
      let (p, j) = isTransposed ? (Int(column), Int(row)) : (Int(row), Int(column))
      guard depth.contains(p), columns.contains(j) else { continue }
      let (panel, lane) = (j - columns.lowerBound).quotientAndRemainder(dividingBy: Tile.columns)
      panels[(panel * depth.count + p - depth.lowerBound) * Tile.columns + lane] += shifts[k]
    }
  }
}
