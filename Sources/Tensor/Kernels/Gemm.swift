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
/// - blocks: the extents of the blocks, which decide the speed alone.
///
/// Five loops around a micro-kernel (Goto and van de Geijn, *Anatomy of High-Performance Matrix Multiplication*, 2008;
/// names as in BLIS): `Product`.
package func gemm(
  _ m: Int, _ n: Int, _ k: Int, _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Real>, cStride: Int,
  accumulating: Bool = false, bias: UnsafePointer<Real>? = nil, parallel: Bool = true, blocks: Blocks = .ofThisMachine
) {
  gemm(
    m, n, k, a, .view(b), into: c, cStride: cStride, accumulating: accumulating, bias: bias, parallel: parallel,
    blocks: blocks, finish: nil)
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
/// - blocks: the extents of the blocks; a packed B has its own.
/// - finish: called once for every part of C when its sums are complete, in any order and on several threads, while the
///   part is in the first-level cache.
func gemm(
  _ m: Int, _ n: Int, _ k: Int, _ a: MatrixView, _ b: Product.RightFactor, into c: UnsafeMutablePointer<Real>,
  cStride: Int, accumulating: Bool = false, bias: UnsafePointer<Real>? = nil, parallel: Bool = true,
  blocks: Blocks = .ofThisMachine, finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)?
) {
  require(!accumulating || bias == nil, "gemm: expected a bias or accumulation, found both")
  guard m > 0, n > 0, k > 0 else {
    emptyProduct(m, n, into: c, cStride, accumulating, bias)
    finish?(0..<m, 0..<n)
    return
  }
  Workload.count(m * n * k)
  let blocks = if case .packed(let matrix) = b { matrix.blocks } else { blocks }
  let product = Product(
    a: a, b: b, c: c, cStride: cStride, depth: k,
    start: accumulating ? (UnsafePointer(c), cStride) : bias.map { ($0, 0) },
    finish: finish, isParallel: parallel && m * n * k >= Blocks.worthSharing, blocks: blocks)
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
