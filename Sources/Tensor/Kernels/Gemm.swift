/// A matrix seen through strides: element (i, j) is `base[i * rowStride + j * columnStride]`.
public struct MatrixView {
  /// Element (0, 0).
  public let base: UnsafePointer<Real>
  /// The distance from one row to the next, in elements.
  public let rowStride: Int
  /// The distance from one column to the next, in elements.
  public let columnStride: Int

  /// A view by strides; rows of consecutive elements by default.
  public init(_ base: UnsafePointer<Real>, rowStride: Int, columnStride: Int = 1) {
    self.base = base
    self.rowStride = rowStride
    self.columnStride = columnStride
  }

  /// The transpose: the same memory with the strides exchanged.
  public var transposed: MatrixView { MatrixView(base, rowStride: columnStride, columnStride: rowStride) }
}

/// C = A B, or C += A B when `accumulating`.
///
/// Every element is one chain of fused multiply-adds over p = 0 … k − 1 in this order, starting from 0 or from its
/// old value: the bits do not depend on blocking, threads or vector width, and equal those of three plain loops.
///
/// - A: [m, k], B: [k, n] by strides; C: [m, n] with rows `cStride` apart, overlapping neither.
/// - `parallel`: false runs on the calling thread alone, for callers that are parallel themselves.
public func gemm(
  _ m: Int, _ n: Int, _ k: Int, _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Real>, cStride: Int,
  accumulating: Bool = false, parallel: Bool = true
) {
  for i in 0..<m {
    for j in 0..<n {
      var sum = accumulating ? c[i * cStride + j] : 0
      for p in 0..<k {
        sum = fma(a.base[i * a.rowStride + p * a.columnStride], b.base[p * b.rowStride + j * b.columnStride], sum)
      }
      c[i * cStride + j] = sum
    }
  }
}
