/// A matrix seen through strides: element (i, j) is `base[i * rowStride + j * columnStride]`, or 0 where a mask has a
/// 0.
package struct MatrixView {
  /// Element (0, 0).
  package let base: UnsafePointer<Real>
  /// The distance from one row to the next, in elements.
  package let rowStride: Int
  /// The distance from one column to the next, in elements.
  package let columnStride: Int
  /// The mask of the elements in memory, if there is one.
  let mask: MemoryMask?
  /// Shifts of single elements, if there are any.
  let shift: SparseShift?

  /// A view by strides; rows of consecutive elements by default.
  package init(_ base: UnsafePointer<Real>, rowStride: Int, columnStride: Int = 1) {
    self.init(base, rowStride: rowStride, columnStride: columnStride, mask: nil, shift: nil)
  }

  private init(
    _ base: UnsafePointer<Real>, rowStride: Int, columnStride: Int, mask: MemoryMask?,
    shift: SparseShift?
  ) {
    (self.base, self.rowStride, self.columnStride, self.mask) = (base, rowStride, columnStride, mask)
    self.shift = shift
  }

  /// The transpose: the same memory with the strides exchanged.
  package var transposed: MatrixView {
    var shift = shift
    shift?.isTransposed.toggle()
    return MatrixView(base, rowStride: columnStride, columnStride: rowStride, mask: mask, shift: shift)
  }

  /// The matrix with zeros where the mask has them: bit i belongs to the element i positions after `base` in memory,
  /// whatever the strides. Nothing is copied; elements are masked when they are packed.
  func masked(by mask: MaskView) -> MatrixView {
    MatrixView(
      base, rowStride: rowStride, columnStride: columnStride, mask: MemoryMask(words: mask.words, origin: base),
      shift: shift)
  }

  /// A matrix of consecutive rows with single elements shifted, to be the right factor of a product or the transpose of
  /// it. Nothing is copied; elements are shifted when they are packed.
  func shifted(by shift: SparseShift) -> MatrixView {
    MatrixView(base, rowStride: rowStride, columnStride: columnStride, mask: mask, shift: shift)
  }

  /// Element (i, j).
  subscript(_ row: Int, _ column: Int) -> Real {
    let pointer = base + (row &* rowStride &+ column &* columnStride)
    return mask?.number(at: pointer) ?? pointer.pointee
  }
}
