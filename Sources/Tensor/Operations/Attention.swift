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
  /// - queries (self), output: [batch, queries, heads · d]; keys, values: [batch, keys, heads · d]; head h owns the
  ///   columns from h · d.
  /// - `isCausal`: query i sees the keys j ≤ i only.
  /// - Keeps queries, keys and values; P is computed again, head by head, and never held for more than one head a
  ///   thread. It comes from the shifted exponentials, as in the forward pass: exp(S − log Σ exp S) would round
  ///   log Σ exp S, and where scores are large its error is not small beside ∂P − D, in which nearly all cancels.
  public func attention(keys: Variable, values: Variable, heads: Int, isCausal: Bool = false) -> Variable {
    precondition(
      shape.rank == 3 && keys.shape.rank == 3 && keys.shape == values.shape && keys.shape[0] == shape[0]
        && keys.shape[2] == shape[2] && heads > 0 && shape[2] % heads == 0,
      "attention: expected [batch, tokens, \(heads) heads of equal width], found \(shape), \(keys.shape), \(values.shape)"
    )
    let head = HeadLayout(
      batch: shape[0], queries: shape[1], keys: keys.shape[1], heads: heads, width: shape[2], isCausal: isCausal)
    let (q, k, v) = (value, keys.value, values.value)
    let output = Tensor.read(q, k, v) { q, k, v in
      Tensor(shape) { output in
        head.forEachHead { batch, index, scratch in
          let (atQuery, atKey) = head.offsets(batch, index)
          head.probabilities(q + atQuery, k + atKey, into: scratch)
          gemm(
            head.queries, head.headWidth, head.keys, MatrixView(scratch, rowStride: head.keys),
            MatrixView(v + atKey, rowStride: head.width), into: output + atQuery, cStride: head.width, parallel: false
          )
        }
      }
    }
    return Tape.record(.attention, output, from: [self, keys, values]) { dOutput in
      var (dq, dk, dv) = (Tensor.zeros(q.shape), Tensor.zeros(k.shape), Tensor.zeros(v.shape))
      Tensor.read(q, k, v) { q, k, v in
        Tensor.read(dOutput) { dOutput in
          dq.write { dq in
            dk.write { dk in
              dv.write { dv in
                head.forEachHead { batch, index, scratch in
                  let (atQuery, atKey) = head.offsets(batch, index)
                  head.backward(
                    q + atQuery, k + atKey, v + atKey, dOutput + atQuery, into: dq + atQuery, dk + atKey, dv + atKey,
                    scratch: scratch)
                }
              }
            }
          }
        }
      }
      return [dq, dk, dv]
    }
  }
}

/// Where the heads lie, and what is computed in one of them.
struct HeadLayout {
  let batch, queries, keys, heads, width: Int
  let isCausal: Bool

  var headWidth: Int { width / heads }

  /// d^−½
  var scale: Real { 1 / Real(headWidth).squareRoot() }

  /// The places of a head's first query and first key.
  func offsets(_ batch: Int, _ head: Int) -> (query: Int, key: Int) {
    (batch * queries * width + head * headWidth, batch * keys * width + head * headWidth)
  }

  /// Calls `body` for every head of every sequence, in parallel, with room for two matrices [queries, keys].
  func forEachHead(_ body: (_ batch: Int, _ head: Int, _ scratch: UnsafeMutablePointer<Real>) -> Void) {
    Parallel.forEach(batch * heads) { piece in
      withScratch(2 * queries * keys) { body(piece / heads, piece % heads, $0) }
    }
  }

  /// S = d^−½ Q Kᵀ and a bias, −∞ where a query must not look.
  func scores(
    _ q: UnsafePointer<Real>, _ k: UnsafePointer<Real>, bias: ScoreBias?, into s: UnsafeMutablePointer<Real>
  ) {
    gemm(
      queries, keys, headWidth, MatrixView(q, rowStride: width), MatrixView(k, rowStride: width).transposed, into: s,
      cStride: keys, parallel: false)
    let scale = scale
    for row in 0..<queries {
      let s = s + row &* keys
      forEachLanes(keys) { store(load(s + $0, $1) * scale, s + $0, $1) }
      if isCausal { for column in min(row + 1, keys)..<keys { s[column] = -.infinity } }
      if let bias { bias.add(row, keys, to: s) }
    }
  }

  /// P = softmax(S).
  func probabilities(
    _ q: UnsafePointer<Real>, _ k: UnsafePointer<Real>, bias: ScoreBias? = nil, into p: UnsafeMutablePointer<Real>
  ) {
    scores(q, k, bias: bias, into: p)
    for row in 0..<queries {
      let p = p + row &* keys
      let scale = 1 / shiftedExponentials(p, keys, into: p).sum
      forEachLanes(keys) { store(load(p + $0, $1) * scale, p + $0, $1) }
    }
  }

  /// ∂Q, ∂K and ∂V; the second half of the scratch is left with d^−½ ∂S.
  func backward(
    _ q: UnsafePointer<Real>, _ k: UnsafePointer<Real>, _ v: UnsafePointer<Real>, _ dOutput: UnsafePointer<Real>,
    bias: ScoreBias? = nil, into dq: UnsafeMutablePointer<Real>, _ dk: UnsafeMutablePointer<Real>,
    _ dv: UnsafeMutablePointer<Real>, scratch: UnsafeMutablePointer<Real>
  ) {
    let (p, ds) = (scratch, scratch + queries * keys)
    probabilities(q, k, bias: bias, into: p)
    let dO = MatrixView(dOutput, rowStride: width)
    let pView = MatrixView(p, rowStride: keys)
    gemm(keys, headWidth, queries, pView.transposed, dO, into: dv, cStride: width, parallel: false)
    gemm(
      queries, keys, headWidth, dO, MatrixView(v, rowStride: width).transposed, into: ds, cStride: keys, parallel: false
    )
    let scale = scale
    for row in 0..<queries {
      let (p, ds) = (p + row &* keys, ds + row &* keys)
      let d = rowSum(keys) { load(p + $0, $1) * load(ds + $0, $1) }
      forEachLanes(keys) { store(load(p + $0, $1) * (load(ds + $0, $1) - d) * scale, ds + $0, $1) }
    }
    let dS = MatrixView(ds, rowStride: keys)
    gemm(queries, headWidth, keys, dS, MatrixView(k, rowStride: width), into: dq, cStride: width, parallel: false)
    gemm(
      keys, headWidth, queries, dS.transposed, MatrixView(q, rowStride: width), into: dk, cStride: width,
      parallel: false)
  }
}

/// What is added to the scores of one head of one window (`windowAttention`).
struct ScoreBias {
  /// [queries, keys]
  let values: UnsafePointer<Real>
  /// The part of every token, if there are several.
  let parts: UnsafePointer<Int32>?

  /// Adds the bias of one query.
  func add(_ query: Int, _ keys: Int, to scores: UnsafeMutablePointer<Real>) {
    let values = values + query &* keys
    forEachLanes(keys) { store(load(scores + $0, $1) + load(values + $0, $1), scores + $0, $1) }
    guard let parts else { return }
    for key in 0..<keys where parts[key] != parts[query] { scores[key] += AttentionWindows.otherPart }
  }
}
