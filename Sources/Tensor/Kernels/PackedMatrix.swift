/// The right factor B of products, packed once for several of them.
///
/// Blocks of B lie one after the other as the loops of `gemm` ask for them: JC outside, PC inside.
struct PackedMatrix: Sendable {
  /// The rows of B: k of the product.
  let depth: Int
  /// The columns of B: n of the product.
  let columns: Int
  /// The extents of the blocks.
  let blocks: Blocks
  private let storage: Storage

  /// Packs B, [depth, columns].
  init(_ b: MatrixView, depth: Int, columns: Int, parallel: Bool = true, blocks: Blocks = .ofThisMachine) {
    (self.depth, self.columns, self.blocks) = (depth, columns, blocks)
    storage = Storage(count: Packing.space(columns, depth, width: Tile.columns))
    for jc in stride(from: 0, to: columns, by: blocks.columns) {
      let block = jc..<min(jc + blocks.columns, columns)
      let step = blocks.depth(of: depth)
      for pc in stride(from: 0, to: depth, by: step) {
        let rows = pc..<min(pc + step, depth)
        Packing.packColumns(of: b, block, rows, isParallel: parallel, into: storage.base + offset(block, rows))
      }
    }
  }

  /// The panels of a block.
  func block(_ columns: Range<Int>, _ depth: Range<Int>) -> UnsafePointer<Real> {
    UnsafePointer(storage.base + offset(columns, depth))
  }

  /// Whole blocks before it in the direction of the columns, which are whole panels too, then those above it.
  private func offset(_ columns: Range<Int>, _ depth: Range<Int>) -> Int {
    let padded = (columns.count + Tile.columns - 1) / Tile.columns * Tile.columns
    return columns.lowerBound * self.depth + padded * depth.lowerBound
  }
}
