/// Some rows of a matrix: the tokens of a table by their ids, or one token of each sequence.
///
///     y_k = x[i_k]
///
/// - x: [rows, width]; indices i: in 0 ..< rows; y: [number of indices, width].
public func selectRows(_ x: Matrix, _ indices: [Int]) -> Matrix {
  Matrix(indices.count, x.columns, indices.flatMap { x.row($0) })
}

/// The gradient of `selectRows`, for a matrix with the given number of rows.
///
///     ∂x[r] = Σ_{k: i_k = r} ∂y_k
public func selectRowsBackward(_ dy: Matrix, _ indices: [Int], of rows: Int) -> Matrix {
  var dx = Matrix(rows, dy.columns)
  for (k, row) in indices.enumerated() {
    for c in 0..<dy.columns { dx[row, c] += dy[k, c] }
  }
  return dx
}

/// Sequences with one more token in front: the class token of a vision transformer.
///
///     y_b = [c; x_b]
///
/// - x: [samples · tokens, width]; token c: [1, width]; y: [samples · (tokens + 1), width].
public func prepended(_ x: Matrix, token: Matrix, samples: Int) -> Matrix {
  let tokens = x.rows / samples
  var values: [Double] = []
  for b in 0..<samples {
    values += token.values
    for t in 0..<tokens { values += x.row(b * tokens + t) }
  }
  return Matrix(x.rows + samples, x.columns, values)
}

/// The gradients of `prepended`.
///
///     ∂x_b = ∂y_b without its first row,   ∂c = Σ_b first row of ∂y_b
public func prependedBackward(_ dy: Matrix, samples: Int) -> (x: Matrix, token: Matrix) {
  let tokens = dy.rows / samples
  let firsts = (0..<samples).map { $0 * tokens }
  let others = (0..<dy.rows).filter { $0 % tokens != 0 }
  return (selectRows(dy, others), positionsBackward(selectRows(dy, firsts), tokens: 1))
}

/// Sequences with a position added to every token.
///
///     y_b[t] = x_b[t] + p[t]
///
/// - x, y: [samples · tokens, width]; positions p: [tokens, width]. The gradient of x is ∂y.
public func withPositions(_ x: Matrix, _ positions: Matrix) -> Matrix {
  require(x.rows % positions.rows == 0, "withPositions: expected sequences of \(positions.rows), found \(x.rows) rows")
  return x + selectRows(positions, (0..<x.rows).map { $0 % positions.rows })
}

/// The gradient of positions.
///
///     ∂p[t] = Σ_b ∂y_b[t]
public func positionsBackward(_ dy: Matrix, tokens: Int) -> Matrix {
  selectRowsBackward(dy, (0..<dy.rows).map { $0 % tokens }, of: tokens)
}
