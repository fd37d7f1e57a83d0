/// C = A B, or C += A B when `accumulating`.
///
/// Every element is one chain of fused multiply-adds over p = 0 … k − 1 in this order, starting from 0 or from its
/// old value: the bits do not depend on blocking, threads or vector width, and equal those of `gemmPlain`.
/// One chain, unlike the sums of `Reductions.swift`: an element of C has one accumulator, and where k is cut into
/// blocks the partial sum waits in C unrounded. The price is an error of up to k u Σ_p |A[i, p] B[p, j]|
/// (docs/numerics.md, "Order of sums").
///
/// - A: [m, k], B: [k, n] by strides; C: [m, n] with rows `cStride` apart, overlapping neither.
/// - bias: n values that every row of sums starts from, instead of 0.
/// - `parallel`: false runs on the calling thread alone, for callers that are parallel themselves.
///
/// Five loops around a micro-kernel (Goto and van de Geijn, *Anatomy of High-Performance Matrix Multiplication*, 2008;
/// names as in BLIS): `Product`.
package func gemm(
  _ m: Int, _ n: Int, _ k: Int, _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Real>, cStride: Int,
  accumulating: Bool = false, bias: UnsafePointer<Real>? = nil, parallel: Bool = true
) {
  gemm(
    m, n, k, a, .view(b), into: c, cStride: cStride, accumulating: accumulating, bias: bias, parallel: parallel,
    finish: nil)
}

/// C = A B, or C += A B when `accumulating`, with a B that was packed before; the bits are those of `gemm` without.
///
/// - A: [m, b.depth]; C: [m, b.columns] with rows `cStride` apart.
func gemm(
  _ m: Int, _ a: MatrixView, _ b: PackedMatrix, into c: UnsafeMutablePointer<Real>, cStride: Int,
  accumulating: Bool = false, bias: UnsafePointer<Real>? = nil, parallel: Bool = true
) {
  gemm(
    m, b.columns, b.depth, a, .packed(b), into: c, cStride: cStride, accumulating: accumulating, bias: bias,
    parallel: parallel, finish: nil)
}

/// The same for either kind of B, with a final operation.
///
/// - finish: called once for every part of C when its sums are complete, in any order and on several threads, while the
///   part is in the first-level cache.
func gemm(
  _ m: Int, _ n: Int, _ k: Int, _ a: MatrixView, _ b: Product.RightFactor, into c: UnsafeMutablePointer<Real>,
  cStride: Int, accumulating: Bool = false, bias: UnsafePointer<Real>? = nil, parallel: Bool = true,
  finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)?
) {
  require(!accumulating || bias == nil, "gemm: expected a bias or accumulation, found both")
  guard m > 0, n > 0, k > 0 else {
    emptyProduct(m, n, into: c, cStride, accumulating, bias)
    finish?(0..<m, 0..<n)
    return
  }
  Workload.count(m * n * k)
  let product = Product(
    a: a, b: b, c: c, cStride: cStride, depth: k,
    start: accumulating ? (UnsafePointer(c), cStride) : bias.map { ($0, 0) },
    finish: finish, isParallel: parallel && m * n * k >= Blocks.worthSharing)
  product.run(m, n)
}

/// A sum of no products is its initial value.
private func emptyProduct(
  _ m: Int, _ n: Int, into c: UnsafeMutablePointer<Real>, _ cStride: Int, _ accumulating: Bool,
  _ bias: UnsafePointer<Real>?
) {
  guard !accumulating else { return }
  for i in 0..<m {
    if let bias {
      (c + i * cStride).update(from: bias, count: n)
    } else {
      (c + i * cStride).update(repeating: 0, count: n)
    }
  }
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
  /// KC: k in equal parts of at most 800. C is read and written once for each, a cost that long panels make small; in
  /// return a panel of A and one of B, 6 · 800 and 64 · 800 Float = 19 and 200 KiB on AVX-512, come from the
  /// second-level cache.
  static func depth(of k: Int) -> Int {
    let blocks = max(1, (k + 799) / 800)
    return max(1, (k + blocks - 1) / blocks)
  }

  /// MC, a multiple of the tile. A block of A, 222 · 800 Float = 694 KiB, passes through the second-level cache once
  /// for each panel of B, which stays in it; B comes from the third level once per block, so 37 tiles share the
  /// transfer.
  static let rows = (224 / Tile.rows) * Tile.rows

  /// NC. The packed block of B, at most 4096 · 800 Float = 12.5 MiB, is meant for the third-level cache.
  static let columns = 4096

  /// Products of fewer multiply-adds run on the calling thread: about 8 µs of work, the cost of waking others.
  static let worthSharing = 1 << 19

  /// The maximal number of elements of an operand reused from the second-level cache, whatever the loops: a
  /// quarter of 1 MiB, as A and C pass through it too.
  static let small = 1 << 16

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
