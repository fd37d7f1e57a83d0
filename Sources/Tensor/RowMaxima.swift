extension Tensor {
  /// The place of the largest number of each row, the first of several: [rows].
  ///
  /// - self: [..., width] of at least one column. A row of NaN yields 0.
  public func rowMaxima() -> [Int] {
    let (rows, width) = (shape.rows, shape.width)
    return Tensor.read(self) { x in
      (0..<rows).map { row in
        var best = 0
        for column in 1..<max(width, 1) where x[row * width + column] > x[row * width + best] { best = column }
        return best
      }
    }
  }
}
