/// C = A B, or C += A B when `accumulating`.
///
/// Every element is one chain of fused multiply-adds over p = 0 … k − 1 in this order, starting from 0 or from its
/// old value: the bits do not depend on blocking, threads or vector width, and equal those of `gemmPlain`.
///
/// - A: [m, k], B: [k, n] by strides; C: [m, n] with rows `cStride` apart, overlapping neither.
/// - `parallel`: false runs on the calling thread alone, for callers that are parallel themselves.
///
/// Five loops around a micro-kernel (Goto and van de Geijn, *Anatomy of High-Performance Matrix Multiplication*, 2008;
/// names as in BLIS): JC and PC choose a block of B, which is packed once and shared; IC a block of A, packed by the
/// thread that needs it; JR and IR run over their panels.
public func gemm(
  _ m: Int, _ n: Int, _ k: Int, _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Real>, cStride: Int,
  accumulating: Bool = false, parallel: Bool = true
) {
  guard m > 0, n > 0, k > 0 else { return emptyProduct(m, n, into: c, cStride: cStride, accumulating) }
  let product = Product(
    a: a, c: c, cStride: cStride, isParallel: parallel && m * n * k >= Blocks.worthSharing, accumulating: accumulating)
  withScratch(Packing.space(min(n, Blocks.columns), min(k, Blocks.depth), width: Tile.columns)) { packed in
    product.run(m, n, k) { columns, depth in
      Packing.packColumns(of: b, columns, depth, isParallel: product.isParallel, into: packed)
      return UnsafePointer(packed)
    }
  }
}

/// C = A B, or C += A B when `accumulating`, with a B that was packed before; the bits are those of `gemm` without.
///
/// - A: [m, b.depth]; C: [m, b.columns] with rows `cStride` apart.
func gemm(
  _ m: Int, _ a: MatrixView, _ b: PackedMatrix, into c: UnsafeMutablePointer<Real>, cStride: Int,
  accumulating: Bool = false, parallel: Bool = true
) {
  let (n, k) = (b.columns, b.depth)
  guard m > 0, n > 0, k > 0 else { return emptyProduct(m, n, into: c, cStride: cStride, accumulating) }
  let product = Product(
    a: a, c: c, cStride: cStride, isParallel: parallel && m * n * k >= Blocks.worthSharing, accumulating: accumulating)
  product.run(m, n, k) { columns, depth in b.block(columns, depth) }
}

/// A sum of no products is 0.
private func emptyProduct(_ m: Int, _ n: Int, into c: UnsafeMutablePointer<Real>, cStride: Int, _ accumulating: Bool) {
  if !accumulating { for i in 0..<m { (c + i * cStride).update(repeating: 0, count: n) } }
}

/// The definition that the blocked product is compared with, bit for bit.
package func gemmPlain(
  _ m: Int, _ n: Int, _ k: Int, _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Real>, cStride: Int,
  accumulating: Bool = false
) {
  for i in 0..<m {
    for j in 0..<n {
      var sum = accumulating ? c[i * cStride + j] : 0
      for p in 0..<k { sum = fma(a[i, p], b[p, j], sum) }
      c[i * cStride + j] = sum
    }
  }
}

/// The extents of the blocks: MC, KC and NC in the literature. They decide speed only, never bits.
enum Blocks {
  /// KC. C is read and written once every `depth` steps, a cost that long panels make small; in return a panel of A
  /// and one of B, 14 · 768 and 32 · 768 Float = 42 and 96 KiB on AVX-512, come from the second-level cache.
  static let depth = 768

  /// MC, a multiple of the tile. A block of A, 112 · 768 Float = 336 KiB, stays in the second-level cache while all
  /// panels of B pass; a panel of B is read once a block, so 8 tiles share the way from the third level.
  static let rows = (112 / Tile.rows) * Tile.rows

  /// NC. The packed block of B, at most 4096 · 768 Float = 12 MiB, is meant for the third-level cache.
  static let columns = 4096

  /// Fewer multiply-adds than this are done by the calling thread: about 8 µs of work, the price of waking others.
  static let worthSharing = 1 << 19

  /// Pieces of work to aim for when rows alone do not give as many.
  static let pieces = 16

  /// The fewest panels of B in a piece: below, packing A again for every piece would show.
  static let panels = 8
}

/// One product on its way: what the loops share.
private struct Product {
  let a: MatrixView
  let c: UnsafeMutablePointer<Real>
  let cStride: Int
  let isParallel: Bool
  let accumulating: Bool

  /// The JC and PC loops: block after block of B, packed by `block`.
  func run(_ m: Int, _ n: Int, _ k: Int, _ block: (_ columns: Range<Int>, _ depth: Range<Int>) -> UnsafePointer<Real>) {
    for jc in stride(from: 0, to: n, by: Blocks.columns) {
      let columns = jc..<min(jc + Blocks.columns, n)
      for pc in stride(from: 0, to: k, by: Blocks.depth) {
        let depth = pc..<min(pc + Blocks.depth, k)
        addBlocks(
          rows: m, columns: columns, depth: depth, packedB: block(columns, depth), fresh: pc == 0 && !accumulating)
      }
    }
  }

  /// The IC loop, also cut along the columns where there are few rows.
  func addBlocks(
    rows m: Int, columns: Range<Int>, depth: Range<Int>, packedB: UnsafePointer<Real>, fresh: Bool
  ) {
    let panels = (columns.count + Tile.columns - 1) / Tile.columns
    let rowPieces = (m + Blocks.rows - 1) / Blocks.rows
    let columnPieces = isParallel ? max(1, min(Blocks.pieces / rowPieces, panels / Blocks.panels)) : 1
    let panelsEach = (panels + columnPieces - 1) / columnPieces
    Parallel.forEach(rowPieces * columnPieces, isParallel: isParallel) { piece in
      let ic = piece / columnPieces * Blocks.rows
      let rows = ic..<min(ic + Blocks.rows, m)
      withScratch(Packing.space(rows.count, depth.count, width: Tile.rows)) { packedA in
        Packing.pack(a, rows: rows, columns: depth, width: Tile.rows, into: packedA)
        let first = min(piece % columnPieces * panelsEach, panels)
        for jr in first..<min(first + panelsEach, panels) {
          let left = columns.lowerBound + jr * Tile.columns
          addPanels(
            rows: rows, columns: left..<min(left + Tile.columns, columns.upperBound), depth: depth.count,
            packedA: packedA, panelB: packedB + jr * Tile.columns * depth.count, fresh: fresh)
        }
      }
    }
  }

  /// The IR loop: all panels of a block of A with one panel of B.
  private func addPanels(
    rows: Range<Int>, columns: Range<Int>, depth: Int, packedA: UnsafePointer<Real>, panelB: UnsafePointer<Real>,
    fresh: Bool
  ) {
    for ir in stride(from: rows.lowerBound, to: rows.upperBound, by: Tile.rows) {
      let height = min(Tile.rows, rows.upperBound - ir)
      let corner = c + (ir * cStride + columns.lowerBound)
      let panelA = packedA + (ir - rows.lowerBound) * depth
      if columns.count % Register.scalarCount == 0 && rowsComputed(height) == height {
        microKernel(
          rows: height, columns: columns.count, k: depth, a: panelA, b: panelB, bStep: Tile.columns, c: corner,
          cStride: cStride, fresh: fresh)
      } else {
        addEdge(height, columns.count, depth, panelA, panelB, corner, fresh)
      }
    }
  }

  /// A tile that C holds only a part of: computed in a copy.
  private func addEdge(
    _ rows: Int, _ columns: Int, _ depth: Int, _ panelA: UnsafePointer<Real>, _ panelB: UnsafePointer<Real>,
    _ corner: UnsafeMutablePointer<Real>, _ fresh: Bool
  ) {
    withUnsafeTemporaryAllocation(of: Real.self, capacity: Tile.rows * Tile.columns) { buffer in
      let tile = buffer.baseAddress!
      if !fresh {
        tile.initialize(repeating: 0, count: buffer.count)
        for i in 0..<rows { (tile + i * Tile.columns).update(from: corner + i * cStride, count: columns) }
      }
      microKernel(
        rows: rows, columns: columns, k: depth, a: panelA, b: panelB, bStep: Tile.columns, c: tile,
        cStride: Tile.columns, fresh: fresh)
      for i in 0..<rows { (corner + i * cStride).update(from: tile + i * Tile.columns, count: columns) }
    }
  }
}
