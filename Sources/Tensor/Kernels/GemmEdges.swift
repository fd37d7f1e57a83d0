extension Product {
  /// The elements of the copy that a tile at the right edge is computed in.
  static var edgeSpace: Int { Tile.rows * Tile.columns }

  /// A tile at the right edge of C, where a register would reach beyond it: computed in `copy`.
  func addEdge(_ tile: TileStep, in copy: UnsafeMutablePointer<Real>) {
    var inside = tile
    (inside.c, inside.cStride) = (copy, Tile.columns)
    if let start = tile.start {
      let beyond = -tile.columns & (Register.scalarCount - 1)
      for i in 0..<tile.rows {
        let row = copy + i &* Tile.columns
        copyLine(start.base + i &* start.stride, to: row, tile.columns)
        for column in tile.columns..<tile.columns &+ beyond { row[column] = 0 }
      }
      inside.start = (UnsafePointer(copy), Tile.columns)
    }
    microKernel(inside)
    for i in 0..<tile.rows { copyLine(copy + i &* Tile.columns, to: tile.c + i &* tile.cStride, tile.columns) }
  }

  /// Copies part of a line: whole registers, then eight, four, two and one. A function of the system takes longer.
  @inline(__always)
  private func copyLine(_ from: UnsafePointer<Real>, to: UnsafeMutablePointer<Real>, _ count: Int) {
    var i = 0
    @inline(__always)
    func copy<Part: BitwiseCopyable>(_: Part.Type, _ size: Int) {
      let part = UnsafeRawPointer(from + i).loadUnaligned(as: Part.self)
      UnsafeMutableRawPointer(to + i).storeBytes(of: part, as: Part.self)
      i &+= size
    }
    while count &- i >= 16 { copy(SIMD16<Real>.self, 16) }
    if count & 8 != 0 { copy(SIMD8<Real>.self, 8) }
    if count & 4 != 0 { copy(SIMD4<Real>.self, 4) }
    if count & 2 != 0 { copy(SIMD2<Real>.self, 2) }
    if count & 1 != 0 { copy(Real.self, 1) }
  }
}
