extension MatrixView {
  /// Returns whether the micro-kernel reads panels of rows in place, each element `times` times: rows that are adjacent
  /// in memory, as they are, `depth` of their columns so near to each other, within `small` elements, that they stay in
  /// the second-level cache while other panels pass, and lines that begin where lines of the cache do, unless it is for
  /// a few times.
  func isReadInPlace(depth: Int, times: Int, within small: Int) -> Bool {
    rowStride == 1 && isPlain && columnStride * depth <= small
      && (columnStride % Register.scalarCount == 0 || times <= Blocks.fewTimes)
  }

  /// True if the elements are used as stored in memory.
  var isPlain: Bool { mask == nil && shift == nil }

  /// Returns whether it reads rows of consecutive elements in place: not at strides at which all share
  /// the few lines of one set of the first-level cache. Reading a row twice costs less than packing it.
  var hasReadableRows: Bool {
    columnStride == 1 && isPlain && rowStride * MemoryLayout<Real>.stride % 4096 != 0
  }

  /// Returns whether the micro-kernel reads a few rows' B in place from beyond the second-level cache: not single lines
  /// of the cache at strides at which all share one set.
  var hasFarLines: Bool {
    Tile.columns >= 64 || rowStride * MemoryLayout<Real>.stride % 4096 != 0
  }
}
