extension Variable {
  /// The mean over square windows that do not overlap; remaining rows and columns are dropped, with gradient 0.
  ///
  ///     y[i, j] = (1/k²) Σ_{u, v < k} x[i k + u, j k + v],   ∂x[i k + u, j k + v] = ∂y[i, j] / k²
  ///
  /// - x (self): [batch, channels, h, w]; y: [batch, channels, h / k, w / k]. Keeps nothing.
  public func averagePooled(by size: Int) -> Variable {
    require(
      shape.rank == 4 && size > 0,
      "averagePooled: expected [batch, channels, h, w] and a positive size, found \(shape) and \(size)")
    let (planes, height, width) = (shape[0] * shape[1], shape[2], shape[3])
    let (rows, columns) = (height / size, width / size)
    let y = Tensor.read(value) { x in
      Tensor([shape[0], shape[1], rows, columns]) { y in
        Parallel.forEach(planes) { plane in
          let (x, y) = (x + plane * height * width, y + plane * rows * columns)
          for row in 0..<rows {
            for column in 0..<columns {
              var sum: Real = 0
              for u in 0..<size {
                for v in 0..<size { sum += x[(row * size + u) * width + column * size + v] }
              }
              y[row * columns + column] = sum / Real(size * size)
            }
          }
        }
      }
    }
    let xShape = shape
    return Tape.record(.averagePool, y, from: [self]) { dy in
      var dx = Tensor.zeros(xShape)
      dx.write { dx in
        Tensor.read(dy) { dy in
          Parallel.forEach(planes) { plane in
            let (dx, dy) = (dx + plane * height * width, dy + plane * rows * columns)
            for row in 0..<(rows * size) {
              for column in 0..<(columns * size) {
                dx[row * width + column] = dy[row / size * columns + column / size] / Real(size * size)
              }
            }
          }
        }
      }
      return [dx]
    }
  }
}
