extension Variable {
  /// Scaled dot-product attention in several heads (Vaswani et al. 2017, section 3.2).
  ///
  /// In each head of width d, with queries Q, keys K and values V:
  ///
  ///     S = d^−½ Q Kᵀ,   P = softmax(S),   O = P V
  ///
  /// Backward, with D_i = Σ_j P_ij ∂P_ij:
  ///
  ///     ∂V = Pᵀ ∂O,   ∂P = ∂O Vᵀ,   ∂S = P (∂P − D),   ∂Q = d^−½ ∂S K,   ∂K = d^−½ ∂Sᵀ Q
  ///
  /// ∂V, ∂P, ∂Q and ∂K are the gradients of the two products, ∂S is that of softmax, row by row (`softmax`). A masked
  /// key has P = 0, and so ∂S = 0.
  ///
  /// - queries (self), output: [batch, queries, heads · d]; keys, values: [batch, keys, heads · d]; head h owns the
  ///   columns from h · d.
  /// - `isCausal`: query i sees the keys j ≤ i only.
  /// - Keeps queries, keys and values. P is recomputed for some queries of one head at a time, and never held for more.
  ///   It comes from the shifted exponentials, as in the forward pass: exp(S − log Σ exp S) would round log Σ exp S,
  ///   and where scores are large its error is not small compared with ∂P − D, in which nearly everything cancels.
  public func attention(keys: Variable, values: Variable, heads: Int, isCausal: Bool = false) -> Variable {
    require(
      shape.rank == 3 && keys.shape.rank == 3 && keys.shape == values.shape && keys.shape[0] == shape[0]
        && keys.shape[2] == shape[2] && heads > 0 && shape[2] % heads == 0,
      "attention: expected [batch, tokens, \(heads) heads of equal width], found \(shape), \(keys.shape), "
        + "\(values.shape)"
    )
    let head = HeadLayout(
      batch: shape[0], queries: shape[1], keys: keys.shape[1], heads: heads, width: shape[2], isCausal: isCausal)
    let (q, k, v) = (value, keys.value, values.value)
    let output = Tensor.read(q, k, v) { q, k, v in
      Tensor(shape) { output in
        head.forEachHead { sequence, index in
          let at = head.offsets(sequence, index)
          head.forward(q + at.query, k + at.key, v + at.key, into: output + at.query)
        }
      }
    }
    return Tape.record(.attention, output, from: [self, keys, values]) { dOutput in
      // Without queries nothing is written below; with them, everything is.
      func gradient(_ shape: Shape) -> Tensor { head.queries == 0 ? .zeros(shape) : Tensor(shape) { _ in } }
      var (dq, dk, dv) = (gradient(q.shape), gradient(k.shape), gradient(v.shape))
      Tensor.read(q, k, v, dOutput) { q, k, v, dOutput in
        dq.write { dq in
          dk.write { dk in
            dv.write { dv in
              head.forEachHead { sequence, index in
                let at = head.offsets(sequence, index)
                head.backward(
                  q + at.query, k + at.key, v + at.key, dOutput + at.query, into: dq + at.query, dk + at.key,
                  dv + at.key)
              }
            }
          }
        }
      }
      return [dq, dk, dv]
    }
  }
}
