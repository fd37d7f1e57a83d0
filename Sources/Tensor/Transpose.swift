extension Tensor {
  /// A matrix with rows and columns exchanged; traps unless the rank is 2.
  public func transposed() -> Tensor {
    require(shape.rank == 2, "Tensor.transposed: expected a matrix, found shape \(shape)")
    let (rows, columns) = (shape[0], shape[1])
    return Tensor.read(self) { from in
      Tensor([columns, rows]) { into in
        for row in 0..<rows {
          for column in 0..<columns { into[column * rows + row] = from[row * columns + column] }
        }
      }
    }
  }

  /// The same elements with the extents in another order: extent i of the result is extent `order[i]` of this tensor;
  /// traps unless each occurs once.
  public func permutingExtents(_ order: [Int]) -> Tensor {
    require(
      order.sorted() == Array(0..<shape.rank), "Tensor.permutingExtents: expected an order of \(shape), found \(order)")
    var strides = [Int](repeating: 1, count: shape.rank)
    for dimension in strides.indices.dropLast().reversed() {
      strides[dimension] = strides[dimension + 1] * shape[dimension + 1]
    }
    let (extents, steps) = (order.map { shape[$0] }, order.map { strides[$0] })
    return Tensor.read(self) { from in
      Tensor(Shape(extents)) { into in
        var (index, source) = ([Int](repeating: 0, count: extents.count), 0)
        for position in 0..<count {
          into[position] = from[source]
          // One step of an odometer.
          for digit in index.indices.reversed() {
            index[digit] += 1
            source += steps[digit]
            guard index[digit] == extents[digit] else { break }
            source -= extents[digit] * steps[digit]
            index[digit] = 0
          }
        }
      }
    }
  }
}
