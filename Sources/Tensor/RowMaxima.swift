extension Tensor {
  /// The index of the largest element of each row, the first of several: [rows].
  ///
  /// - self: [..., width] of at least one column. A row of NaN yields 0.
  package func rowMaxima() -> [Int] {
    let (rows, width) = (shape.rows, shape.width)
    return Tensor.read(self) { x in
      (0..<rows).map { row in
        let x = x + row &* width
        var (best, index) = (x[0], 0)
        var column = 1
        while column < width {
          if x[column] > best { (best, index) = (x[column], column) }
          column &+= 1
        }
        return index
      }
    }
  }
}
