extension Variable {
  /// A tensor some of whose elements are shifted: of SPT (k), a vector's.
  ///
  ///     y = x + scatter(d),   y[i_k] = x[i_k] + d_k,   all else as in x
  ///     ∂x = ∂y,   ∂d_k = ∂y[i_k]
  ///
  /// - x (self), y: the shape of `indices`; d: [indices.count].
  /// - Keeps the indices.
  public func scatterAdding(_ shifts: Variable, at indices: SparseIndices) -> Variable {
    require(
      shape == indices.shape && shifts.shape == [indices.count],
      "scatterAdding: expected \(indices.shape) and \(indices.count) shifts, found \(shape) and \(shifts.shape)")
    let needs = shifts.needsGradient
    var y = value
    if indices.count > 0 {
      y.write { y in
        Tensor.read(shifts.value) { d in
          for (k, position) in indices.positions.enumerated() { y[Int(position)] += d[k] }
        }
      }
    }
    return Tape.record(.scatterAdd, y, from: [self, shifts]) { dy in
      guard needs else { return [dy, nil] }
      return [
        dy,
        Tensor.read(dy) { dy in
          Tensor([indices.count]) { d in
            for (k, position) in indices.positions.enumerated() { d[k] = dy[Int(position)] }
          }
        },
      ]
    }
  }
}
