/// The maps of an encoder with updates whose outer factors they share (tensor train, FacT (a), (b), (f); Jie & Deng
/// 2023).
///
///     W' = W + s (I ⊗ V) Σ (I ⊗ U)
///
/// A map is n times as wide as a token at its output and m times at its input; piece (q, p) of its weight, width ×
/// width, moves by s V Σ_qp U.
///
/// - weights: W, [n · width, m · width], under the names of `cores`; Σ: [n · rank, m · rank]; down U: [rank, width]; up
///   V: [width, rank]; scale s. Result: `weights` with those maps in place.
public func factorTuned(
  _ weights: Parameters, down: Matrix, cores: Parameters, up: Matrix, scale: Double
) -> Parameters {
  var tuned = weights
  for (name, core) in cores {
    var weight = weights.required(name)
    eachTerm(weight, core, width: down.columns, rank: down.rows) { row, column, j, k in
      weight[row, column] +=
        scale * up[row % down.columns, j % down.rows] * core[j, k] * down[k % down.rows, column % down.columns]
    }
    tuned[name] = weight
  }
  return tuned
}

/// The gradients of U, Σ and V (FacT (b)).
///
///     ∂Σ = s (I ⊗ V)ᵀ ∂W' (I ⊗ U)ᵀ;   ∂V and ∂U have a term for every piece of every map
///
/// - dTuned: the gradients of the result of `factorTuned`; the others: its arguments.
public func factorTunedBackward(
  _ dTuned: Parameters, down: Matrix, cores: Parameters, up: Matrix, scale: Double
) -> (down: Matrix, cores: Parameters, up: Matrix) {
  var (dDown, dUp) = (Matrix(down.rows, down.columns), Matrix(up.rows, up.columns))
  var dCores: Parameters = [:]
  for (name, core) in cores {
    let dWeight = dTuned.required(name)
    var dCore = Matrix(core.rows, core.columns)
    eachTerm(dWeight, core, width: down.columns, rank: down.rows) { row, column, j, k in
      let (a, b) = (row % down.columns, column % down.columns)
      let d = scale * dWeight[row, column]
      dUp[a, j % down.rows] += d * core[j, k] * down[k % down.rows, b]
      dCore[j, k] += d * up[a, j % down.rows] * down[k % down.rows, b]
      dDown[k % down.rows, b] += d * up[a, j % down.rows] * core[j, k]
    }
    dCores[name] = dCore
  }
  return (dDown, dCores, dUp)
}

/// Every element of a weight with every element of its piece of the core.
private func eachTerm(
  _ weight: Matrix, _ core: Matrix, width: Int, rank: Int,
  _ body: (_ row: Int, _ column: Int, _ j: Int, _ k: Int) -> Void
) {
  for row in 0..<weight.rows {
    for column in 0..<weight.columns {
      for j in row / width * rank..<(row / width + 1) * rank {
        for k in column / width * rank..<(column / width + 1) * rank { body(row, column, j, k) }
      }
    }
  }
}
