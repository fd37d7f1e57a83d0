/// One product: the five loops around the micro-kernel.
///
/// JC and PC choose a block of B, IC a block of A, JR and IR run over their panels. A panel is packed unless the
/// micro-kernel can read it in place; which operand is packed when depends on the shape:
///
/// | shape | what is packed |
/// | --- | --- |
/// | many rows | the block of B once, ahead, shared by all threads; a block of A by the thread that needs it |
/// | few rows | a panel of B at a time, right before its one use, as a block of it would leave the cache unread |
/// | up to 24 rows | nothing of a B with consecutive rows |
/// | up to four rows, or columns beyond whole registers | nothing: `addFewRows`, `addFewColumns` |
/// | a small block of B | A a tile at a time: it stays in the first-level cache, and C is written row by row |
struct Product {
  let a: MatrixView
  let b: RightFactor
  let c: UnsafeMutablePointer<Real>
  let cStride: Int
  /// k
  let depth: Int
  /// The initial values of the sums: rows `stride` apart (0 for one row for all), `nil` for zeros.
  let start: (base: UnsafePointer<Real>, stride: Int)?
  /// The operation on a part of C whose sums are complete.
  let finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)?
  let isParallel: Bool
  /// The extents of the blocks: those of B, if it is packed.
  let blocks: Blocks

  /// The right factor.
  enum RightFactor {
    case view(MatrixView)
    case packed(PackedMatrix)
  }

  /// The JC loop, and the PC loop where threads share a packed block of B: it is packed by all, then used by all.
  func run(_ m: Int, _ n: Int) {
    let first = addFewRows(m, n)
    let end = addFewColumns(m, n)
    for jc in stride(from: first, to: end, by: blocks.columns) {
      let columns = jc..<min(jc + blocks.columns, end)
      switch b {
      case .packed(let matrix):
        add(m, columns, 0..<depth) { .packed(matrix.block(columns, $0)) }
      case .view(let b)
      where m <= blocks.rows
        || b.transposed.isReadInPlace(depth: blocks.depth(of: depth), times: m, within: blocks.small):
        add(m, columns, 0..<depth) { _ in .view(b) }
      case .view(let b):
        withScratch(Packing.space(columns.count, blocks.depth(of: depth), width: Tile.columns)) { packed in
          forEachBlock(of: 0..<depth) { block in
            Packing.packColumns(of: b, columns, block, isParallel: isParallel, into: packed)
            add(m, columns, block) { _ in .packed(UnsafePointer(packed)) }
          }
        }
      }
    }
  }

  /// The PC loop.
  private func forEachBlock(of range: Range<Int>, _ body: (_ depth: Range<Int>) -> Void) {
    let step = blocks.depth(of: depth)
    for pc in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      body(pc..<min(pc + step, range.upperBound))
    }
  }

  /// The panels of a block of B: packed ahead, or in place in B.
  private enum Source {
    case packed(UnsafePointer<Real>)
    case view(MatrixView)
  }

  /// The pieces of C for each thread: the IC loop, also cut along the columns if there are few rows. Within a piece,
  /// the PC loop over `depths`, for the blocks of B that `source` gives, and the JR loop.
  private func add(_ m: Int, _ columns: Range<Int>, _ depths: Range<Int>, _ source: (_ depth: Range<Int>) -> Source) {
    let panels = (columns.count + Tile.columns - 1) / Tile.columns
    let depth = min(depths.count, blocks.depth(of: self.depth))
    let isInPlace =
      a.isReadInPlace(depth: depth, times: columns.count, within: blocks.small)
      || (columns.count <= Blocks.fewColumns && a.hasReadableRows)
    let pieces = Pieces(
      m, columns.count, rowsOfBlock: blocks.rows, isInPlace: isInPlace, threads: isParallel ? Parallel.threads : 1)
    let panelsEach = (panels + pieces.columns - 1) / pieces.columns
    let isSmall = m > blocks.rows && panels * Tile.columns * depth <= blocks.small
    Parallel.forEach(pieces.rows * pieces.columns, isParallel: isParallel) { piece in
      let rows = pieces.rows(piece / pieces.columns, of: m)
      let first = min(piece % pieces.columns * panelsEach, panels)
      let height = isSmall ? Tile.rows : rows.count
      let space = Packing.space(height, depth, width: Tile.rows)
      let panel = Packing.space(Tile.columns, depth, width: Tile.columns)
      withScratch(space + panel + Self.edgeSpace) { scratch in
        forEachBlock(of: depths) { depth in
          var right = RightPanels(
            source: source(depth), rows: m, columns: columns, depth: depth, small: blocks.small,
            scratch: scratch + space)
          for ic in stride(from: rows.lowerBound, to: rows.upperBound, by: height) {
            let rows = ic..<min(ic + height, rows.upperBound)
            let left = LeftPanels(a, rows, depth, isInPlace: isInPlace, scratch: scratch)
            for jr in first..<min(first + panelsEach, panels) {
              let begin = columns.lowerBound + jr * Tile.columns
              addPanels(
                rows, begin..<min(begin + Tile.columns, columns.upperBound), depth, left, right.panel(jr),
                edge: scratch + (space + panel))
            }
          }
        }
      }
    }
  }

  /// How C is cut for the threads.
  private struct Pieces {
    /// Their number down and across.
    let rows, columns: Int
    private let rowsEach: Int

    init(_ m: Int, _ n: Int, rowsOfBlock: Int, isInPlace: Bool, threads: Int) {
      let blocks = (m + rowsOfBlock - 1) / rowsOfBlock
      let fewest = isInPlace ? Tile.columns : Blocks.fewestColumns
      let columns = threads > 1 ? max(1, min(Blocks.piecesEach * threads / blocks, n / fewest)) : 1
      // Few columns: lower pieces than the cache asks for, rather than idle threads. As many pieces for each thread: of
      // five for two, one would do three while the other waits.
      let fewestRows = max(blocks, threads / columns)
      let even = columns == 1 ? (fewestRows + threads - 1) / threads * threads : fewestRows
      let rows = min(even, (m + Tile.rows - 1) / Tile.rows)
      rowsEach = ((m + rows - 1) / rows + Tile.rows - 1) / Tile.rows * Tile.rows
      (self.rows, self.columns) = ((m + rowsEach - 1) / rowsEach, columns)
    }

    /// The rows of piece `index` from the top, of `m` in all.
    func rows(_ index: Int, of m: Int) -> Range<Int> { min(index * rowsEach, m)..<min((index + 1) * rowsEach, m) }
  }

  /// The location of a panel for the micro-kernel: its first element, and the strides between rows and between steps of
  /// p.
  private struct Panel {
    let base: UnsafePointer<Real>
    var row = 1
    let step: Int
    /// True if it comes from beyond the second-level cache.
    var isFar = false
  }

  /// The panels of some rows of A: in place, or packed all at once.
  private struct LeftPanels {
    private let a: MatrixView
    private let depth: Range<Int>
    private let isInPlace: Bool
    private let first: Int
    private let packed: UnsafePointer<Real>

    init(
      _ a: MatrixView, _ rows: Range<Int>, _ depth: Range<Int>, isInPlace: Bool, scratch: UnsafeMutablePointer<Real>
    ) {
      (self.a, self.depth, self.isInPlace) = (a, depth, isInPlace)
      (first, packed) = (rows.lowerBound, UnsafePointer(scratch))
      if !isInPlace { Packing.pack(a, rows: rows, columns: depth, width: Tile.rows, into: scratch) }
    }

    func panel(_ row: Int) -> Panel {
      isInPlace
        ? Panel(
          base: a.base + (row * a.rowStride + depth.lowerBound * a.columnStride), row: a.rowStride, step: a.columnStride
        )
        : Panel(base: packed + (row - first) * depth.count, step: Tile.rows)
    }
  }

  /// The panels of a block of B for one thread, which packs those it cannot read in place.
  private struct RightPanels {
    let source: Source
    /// The rows of A that each panel is multiplied with.
    let rows: Int
    let columns, depth: Range<Int>
    /// `Blocks.small`
    let small: Int
    let scratch: UnsafeMutablePointer<Real>
    /// The panel in `scratch`.
    private var held = -1

    init(
      source: Source, rows: Int, columns: Range<Int>, depth: Range<Int>, small: Int,
      scratch: UnsafeMutablePointer<Real>
    ) {
      (self.source, self.rows, self.columns, self.depth) = (source, rows, columns, depth)
      (self.small, self.scratch) = (small, scratch)
    }

    mutating func panel(_ index: Int) -> Panel {
      let start = index * Tile.columns
      switch source {
      case .packed(let base): return Panel(base: base + start * depth.count, step: Tile.columns)
      case .view(let b):
        let range = columns.lowerBound + start..<min(columns.lowerBound + start + Tile.columns, columns.upperBound)
        if range.count % Register.scalarCount == 0, b.columnStride == 1, b.isPlain {
          let isFar = !b.transposed.isReadInPlace(depth: depth.count, times: rows, within: small)
          if !isFar || (rows <= Blocks.fewPasses && b.hasFarLines) {
            let base = b.base + (range.lowerBound + depth.lowerBound * b.rowStride)
            return Panel(base: base, step: b.rowStride, isFar: isFar)
          }
        }
        if held != index {
          Packing.packColumns(of: b, range, depth, isParallel: false, into: scratch)
          held = index
        }
        return Panel(base: UnsafePointer(scratch), step: Tile.columns)
      }
    }
  }

  /// The IR loop: all panels of some rows of A with one panel of B.
  private func addPanels(
    _ rows: Range<Int>, _ columns: Range<Int>, _ depth: Range<Int>, _ left: LeftPanels, _ right: Panel,
    edge: UnsafeMutablePointer<Real>
  ) {
    for ir in stride(from: rows.lowerBound, to: rows.upperBound, by: Tile.rows) {
      let height = min(Tile.rows, rows.upperBound - ir)
      let panel = left.panel(ir)
      var tile = TileStep(
        rows: height, columns: columns.count, k: depth.count, a: panel.base, aRow: panel.row, aStep: panel.step,
        b: right.base, bStep: right.step, isFar: right.isFar,
        c: c + (ir * cStride + columns.lowerBound), cStride: cStride)
      if depth.lowerBound > 0 {
        tile.start = (UnsafePointer(tile.c), cStride)
      } else if let start {
        tile.start = (start.base + (ir * start.stride + columns.lowerBound), start.stride)
      }
      if columns.count % Register.scalarCount == 0 {
        microKernel(tile)
      } else {
        addEdge(tile, in: edge)
      }
    }
    if depth.upperBound == self.depth { finish?(rows, columns) }
  }
}
