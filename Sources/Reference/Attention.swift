/// Scaled dot-product attention in several heads (Vaswani et al. 2017, section 3.2).
///
/// In each head, of width d, with queries Q, keys K and values V of one sequence:
///
///     S = Q Kᵀ / √d,   P = softmax(S),   O = P V
///
/// - queries, O: [sequences · tokens, heads · d]; keys, values: [sequences · keys, heads · d]. Head h owns the columns
///   from h · d.
/// - isCausal: query i sees the keys j ≤ i only.
public func attention(
  queries: Matrix, keys: Matrix, values: Matrix, sequences: Int, heads: Int, isCausal: Bool = false
) -> Matrix {
  let (queryCount, keyCount) = (queries.rows / sequences, keys.rows / sequences)
  let width = queries.columns / heads
  var output = Matrix(queries.rows, queries.columns)
  for sequence in 0..<sequences {
    for head in 0..<heads {
      let p = attentionProbabilities(
        queries: queries, keys: keys, sequence: sequence, of: sequences, head: head, of: heads, isCausal: isCausal)
      for i in 0..<queryCount {
        for j in 0..<keyCount {
          for c in head * width..<(head + 1) * width {
            output[sequence * queryCount + i, c] += p[i, j] * values[sequence * keyCount + j, c]
          }
        }
      }
    }
  }
  return output
}

/// The gradients of attention.
///
///     ∂V = Pᵀ ∂O,   ∂P = ∂O Vᵀ,   ∂S = P (∂P − Σ_j P ∂P),   ∂Q = ∂S K / √d,   ∂K = ∂Sᵀ Q / √d
///
/// A key that a query does not see has P = 0, so its ∂S is 0 as well.
///
/// - dOutput and the inputs: as above; results: of the shapes of queries, keys and values.
public func attentionBackward(
  _ dOutput: Matrix, queries: Matrix, keys: Matrix, values: Matrix, sequences: Int, heads: Int, isCausal: Bool = false
) -> (queries: Matrix, keys: Matrix, values: Matrix) {
  let (queryCount, keyCount) = (queries.rows / sequences, keys.rows / sequences)
  let width = queries.columns / heads
  let scale = 1 / Double(width).squareRoot()
  var dQueries = Matrix(queries.rows, queries.columns)
  var dKeys = Matrix(keys.rows, keys.columns)
  var dValues = Matrix(values.rows, values.columns)
  for sequence in 0..<sequences {
    for head in 0..<heads {
      let columns = head * width..<(head + 1) * width
      let p = attentionProbabilities(
        queries: queries, keys: keys, sequence: sequence, of: sequences, head: head, of: heads, isCausal: isCausal)
      var dp = Matrix(queryCount, keyCount)
      for i in 0..<queryCount {
        for j in 0..<keyCount {
          for c in columns {
            let (query, key) = (sequence * queryCount + i, sequence * keyCount + j)
            dValues[key, c] += p[i, j] * dOutput[query, c]
            dp[i, j] += dOutput[query, c] * values[key, c]
          }
        }
      }
      let ds = softmaxBackward(dp, p: p)
      for i in 0..<queryCount {
        for j in 0..<keyCount {
          for c in columns {
            let (query, key) = (sequence * queryCount + i, sequence * keyCount + j)
            dQueries[query, c] += scale * ds[i, j] * keys[key, c]
            dKeys[key, c] += scale * ds[i, j] * queries[query, c]
          }
        }
      }
    }
  }
  return (dQueries, dKeys, dValues)
}

/// P of one head of one sequence: [queries, keys], 0 where a query does not see a key.
public func attentionProbabilities(
  queries: Matrix, keys: Matrix, sequence: Int, of sequences: Int, head: Int, of heads: Int, isCausal: Bool = false
) -> Matrix {
  let (queryCount, keyCount) = (queries.rows / sequences, keys.rows / sequences)
  let width = queries.columns / heads
  var scores = Matrix(queryCount, keyCount, repeating: -.infinity)
  for i in 0..<queryCount {
    for j in 0..<keyCount where !isCausal || j <= i {
      var sum = 0.0
      for c in head * width..<(head + 1) * width {
        sum += queries[sequence * queryCount + i, c] * keys[sequence * keyCount + j, c]
      }
      scores[i, j] = sum / Double(width).squareRoot()
    }
  }
  return softmax(scores)
}
