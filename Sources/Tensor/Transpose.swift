extension Tensor {
  /// A matrix with rows and columns exchanged; traps unless the rank is 2.
  public func transposed() -> Tensor {
    precondition(shape.rank == 2, "Tensor.transposed: expected a matrix, found shape \(shape)")
    let (rows, columns) = (shape[0], shape[1])
    return Tensor.read(self) { from in
      Tensor([columns, rows]) { into in
        for row in 0..<rows {
          for column in 0..<columns { into[column * rows + row] = from[row * columns + column] }
        }
      }
    }
  }
}
