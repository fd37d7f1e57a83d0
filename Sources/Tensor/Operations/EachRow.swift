extension Variable {
  /// A function of each row and of tensors that all rows share, one row after another.
  ///
  ///     y_i = g(x_i, θ),   ∂x_i = (∂g/∂x)ᵀ ∂y_i,   ∂θ = Σ_i (∂g/∂θ)ᵀ ∂y_i, both at x_i
  ///
  /// - x (self): [rows, width], one row or more; θ: any shapes; g: [1, width] → [1, columns], of no variable but those
  ///   that it is given; y: [rows, columns].
  /// - Keeps x and θ. The backward pass calculates every row again, on a tape of its own, so that what a row leaves for
  ///   it is held for one row at a time (Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost). A single row
  ///   is calculated once, on the tape of its inputs, to the same bits.
  package func eachRow(
    _ shared: [Variable], _ function: @escaping (_ row: Variable, _ shared: [Variable]) -> Variable
  ) -> Variable {
    require(shape.rank == 2 && shape[0] > 0, "eachRow: expected [1 or more rows, width], found \(shape)")
    let count = shape[0]
    if count == 1 { return function(self, shared) }
    let (x, theta) = (value, shared.map(\.value))
    let y = Tensor.stacked((0..<count).map { function(Variable(x.row($0)), theta.map { Variable($0) }).value })
    let (xNeeds, needs) = (needsGradient, shared.map(\.needsGradient))
    return Tape.record(
      .eachRow, y, from: [self] + shared,
      sharedBackward: { dys in
        var dRows: [[Tensor]] = dys.map { _ in [] }
        var dTheta: [[Tensor?]] = dys.map { _ in needs.map { _ in nil } }
        for row in 0..<count {
          let tape = Tape()
          let own = xNeeds ? tape.leaf(x.row(row)) : Variable(x.row(row))
          let variables = zip(theta, needs).map { $1 ? tape.leaf($0) : Variable($0) }
          let output = function(own, variables)
          let leaves = ([own] + variables).filter(\.needsGradient)
          let found = tape.gradients(of: dys.map { (output, $0.row(row)) }, for: leaves, releasing: true)
          for (loss, gradients) in found.enumerated() {
            var rest = gradients[...]
            if xNeeds, let dx = rest.popFirst() { dRows[loss].append(dx) }
            for index in needs.indices where needs[index] {
              guard let share = rest.popFirst() else { continue }
              dTheta[loss][index] = dTheta[loss][index].map { $0.adding(share) } ?? share
            }
          }
        }
        return dys.indices.map { [xNeeds ? .stacked(dRows[$0]) : nil] + dTheta[$0] }
      })
  }
}

extension Tensor {
  /// Row i of a matrix: [1, width].
  fileprivate func row(_ i: Int) -> Tensor {
    let width = shape.width
    return Tensor.read(self) { x in Tensor([1, width]) { $0.update(from: x + i * width, count: width) } }
  }

  /// Rows, [1, width] each, as a matrix.
  fileprivate static func stacked(_ rows: [Tensor]) -> Tensor {
    let width = rows[0].shape.width
    require(
      rows.allSatisfy { $0.shape == [1, width] }, "eachRow: expected rows [1, \(width)], found \(rows.map(\.shape))")
    return Tensor([rows.count, width]) { y in
      for (index, row) in rows.enumerated() {
        Tensor.read(row) { (y + index * width).update(from: $0, count: width) }
      }
    }
  }
}
