/// The maps that take in a linear bottleneck before them (RepAdapter (a), (b), (d); Luo et al. 2023).
///
///     W (x + s (B (A x + a) + b)) + c = W' x + c',   W' = W + s W B A,   c' = c + s W (B a + b)
///
/// - weights: W, [out, in], of each reader is READER, and c, [1, out], READER.bias; down A: [rank, in]; downBias a:
///   [1, rank]; up B: [in, rank], with the zeros of its groups; upBias b: [1, in]; scale s. Result: `weights` with the
///   readers' in place.
public func takingIn(
  _ weights: Parameters, readers: [String], down: Matrix, downBias: Matrix, up: Matrix, upBias: Matrix, scale: Double
) -> Parameters {
  var changed = weights
  let shift = linear(downBias, weight: up, bias: upBias)
  for reader in readers {
    let weight = weights.required(reader)
    let product = linear(linear(weight, weight: up.transposed), weight: down.transposed)
    changed[reader] = weight + product.map { scale * $0 }
    changed["\(reader).bias"] = weights.required("\(reader).bias") + linear(shift, weight: weight).map { scale * $0 }
  }
  return changed
}

/// The gradients of A, a, B and b (RepAdapter (d)).
///
/// With M = Σ Wᵀ ∂W' and m = Σ ∂c' W over the readers, the gradients of B A and of B a + b but for s:
///
///     ∂A = s Bᵀ M,   ∂a = s m B,   ∂B = s (M Aᵀ + mᵀ a),   ∂b = s m
///
/// ∂B is that of all elements; those that the groups fix at zero are of no interest.
///
/// - dChanged: the gradients of the result of `takingIn`; the others: its arguments.
public func takingInBackward(
  _ dChanged: Parameters, _ weights: Parameters, readers: [String], down: Matrix, downBias: Matrix, up: Matrix,
  scale: Double
) -> (down: Matrix, downBias: Matrix, up: Matrix, upBias: Matrix) {
  var (product, shift) = (Matrix(down.columns, down.columns), Matrix(1, down.columns))
  for reader in readers {
    let weight = weights.required(reader).transposed
    product = product + linear(weight, weight: dChanged.required(reader).transposed)
    shift = shift + linear(dChanged.required("\(reader).bias"), weight: weight)
  }
  (product, shift) = (product.map { scale * $0 }, shift.map { scale * $0 })
  return (
    linear(up.transposed, weight: product.transposed), linear(shift, weight: up.transposed),
    linear(product, weight: down) + linear(shift.transposed, weight: downBias.transposed), shift
  )
}

extension Matrix {
  /// Rows as columns.
  var transposed: Matrix {
    Matrix(columns, rows, (0..<count).map { self[$0 % rows, $0 / rows] })
  }
}
