/// The extents of the blocks of a product: MC, KC and NC in the literature. They decide speed only, never bits.
///
/// Each fills the share of a cache that was fastest on a processor with 1 MiB of second-level and 32 MiB of third-level
/// cache (`Bench gemm --tune` measures others on the machine at hand). For Float and tiles of 6 rows:
///
/// | second level | third level | KC | MC | NC |
/// | --- | --- | --- | --- | --- |
/// | 256 KiB | 8 MiB | 200 | 222 | 4096 |
/// | 512 KiB | 16 MiB | 400 | 222 | 4096 |
/// | 1 MiB, or unknown | 32 MiB, or unknown | 800 | 222 | 4096 |
/// | 1 MiB | 8 MiB | 800 | 222 | 1024 |
/// | 2 MiB | 32 MiB | 800 | 444 | 4096 |
package struct Blocks: Sendable, Hashable {
  /// KC, the most steps of k. C is read and written once for each block, a cost that long panels make small; in return
  /// a panel of A and one of B, 6 · 800 and 64 · 800 Float = 19 and 200 KiB on AVX-512, come from the second-level
  /// cache.
  package let depth: Int

  /// MC, a multiple of the tile. A block of A, 222 · 800 Float = 694 KiB, passes through the second-level cache once
  /// for each panel of B, which stays in it; B comes from the third level once per block, so 37 tiles share the
  /// transfer.
  package let rows: Int

  /// NC, a multiple of the tile. The packed block of B, at most 4096 · 800 Float = 12.5 MiB, is meant for the
  /// third-level cache.
  package let columns: Int

  /// The maximal number of elements of an operand reused from the second-level cache, whatever the loops: a quarter of
  /// it, as A and C pass through it too.
  package let small: Int

  /// Given extents; those of rows and columns are rounded down to whole tiles, of which there is at least one.
  package init(depth: Int, rows: Int, columns: Int, small: Int) {
    require(depth > 0 && small >= 0, "Blocks: expected depth > 0 and small >= 0, found \(depth) and \(small)")
    (self.depth, self.small) = (depth, small)
    self.rows = max(1, rows / Tile.rows) * Tile.rows
    self.columns = max(1, columns / Tile.columns) * Tile.columns
  }

  /// The extents for caches.
  package init(caches: CacheSizes) {
    /// Elements in a share of a cache, in 1024ths.
    func elements(_ share: Int, of bytes: Int) -> Int { bytes / 1024 * share / MemoryLayout<Real>.stride }
    let depth = min(800, max(64, elements(200, of: caches.secondLevel) / 64))
    self.init(
      depth: depth, rows: elements(700, of: caches.secondLevel) / depth,
      columns: min(4096, elements(400, of: caches.thirdLevel) / depth),
      small: elements(256, of: caches.secondLevel))
  }

  /// Those for the caches of this machine.
  package static let ofThisMachine = Blocks(caches: .ofThisMachine)

  /// k in equal parts of at most KC.
  func depth(of k: Int) -> Int {
    let blocks = max(1, (k + depth - 1) / depth)
    return max(1, (k + blocks - 1) / blocks)
  }
}

/// What no cache decides.
extension Blocks {
  /// Products of fewer multiply-adds run on the calling thread: about 8 µs of work, the cost of waking others.
  static let worthSharing = 1 << 19

  /// The targeted number of pieces a thread if rows alone do not give as many: two, so that a thread that is late
  /// leaves work for others. Each piece packs its rows of A anew: sixteen in all took 8 % of a product of 197 rows.
  static let piecesEach = 2

  /// Up to this many columns of B, rows of A are read in place: 256 × 256 products gained 10 % by it.
  static let fewColumns = 256

  /// Up to this many reads, rows that straddle cache lines are read in place: packing 127 × 129 × 131
  /// gains 9 %, 197 × 65 × 33 loses 3 % by it.
  static let fewTimes = 100

  /// Up to this many rows, four tiles, a B with consecutive rows is read in place from any cache or memory: packing it
  /// takes longer than two or three more passes.
  static let fewPasses = 24

  /// At least this many columns of B are used each time A is packed: packing takes a tenth of the time of their
  /// products.
  static let fewestColumns = 192
}
