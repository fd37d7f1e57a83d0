/// The layout of the heads, and the computation in one of them.
struct HeadLayout {
  let batch, queries, keys, heads, width: Int
  let isCausal: Bool

  var headWidth: Int { width / heads }

  /// d^−½
  var scale: Real { 1 / Real(headWidth).squareRoot() }

  /// Queries that are processed together: enough rows for the products, few enough for their scores to stay in the
  /// second-level cache.
  private static let block = (60 / Tile.rows) * Tile.rows

  /// The stride of rows of scores: whole vectors, so that no row has a remainder.
  private var stride: Int { (keys + 15) & ~15 }

  /// The offsets of a head's first query and first key.
  func offsets(_ sequence: Int, _ head: Int) -> (query: Int, key: Int) {
    (sequence * queries * width + head * headWidth, sequence * keys * width + head * headWidth)
  }

  /// Calls `body` for every head of every sequence, in parallel.
  func forEachHead(_ body: (_ sequence: Int, _ head: Int) -> Void) {
    Parallel.forEach(batch * heads) { body($0 / heads, $0 % heads) }
  }

  /// Calls `body` for the blocks of queries of a head.
  private func forEachBlock(_ body: (_ rows: Range<Int>) -> Void) {
    for first in Swift.stride(from: 0, to: queries, by: Self.block) { body(first..<min(first + Self.block, queries)) }
  }

  private func view(_ pointer: UnsafePointer<Real>, from row: Int = 0) -> MatrixView {
    MatrixView(pointer + row * width, rowStride: width)
  }

  /// O of one head.
  func forward(
    _ q: UnsafePointer<Real>, _ k: UnsafePointer<Real>, _ v: UnsafePointer<Real>, bias: ScoreBias? = nil,
    into output: UnsafeMutablePointer<Real>
  ) {
    let packedKeys = PackedMatrix(view(k).transposed, depth: headWidth, columns: keys, parallel: false)
    let packedValues = PackedMatrix(view(v), depth: keys, columns: headWidth, parallel: false)
    withScratch(Self.block * stride) { scores in
      forEachBlock { rows in
        gemm(rows.count, view(q, from: rows.lowerBound), packedKeys, into: scores, cStride: stride, parallel: false)
        withUnsafeTemporaryAllocation(of: Real.self, capacity: rows.count) { sums in
          for row in rows {
            sums[row - rows.lowerBound] = exponentials(of: row, bias, in: scores + (row - rows.lowerBound) * stride)
          }
          let output = output + rows.lowerBound * width
          let powers = MatrixView(scores, rowStride: stride)
          gemm(rows.count, powers, packedValues, into: output, cStride: width, parallel: false)
          // O is the shorter row to divide by Σ exp, and the division comes last.
          for row in 0..<rows.count {
            let (output, factor) = (output + row * width, 1 / sums[row])
            forEachLanes(headWidth) { store(load(output + $0, $1) * factor, output + $0, $1) }
          }
        }
      }
    }
  }

  /// exp(d^−½ (s − max s)) over the keys that a query sees, zeros after them up to `stride`; returns the sum.
  ///
  /// The shift −max(s) d^−½ is rounded once; s d^−½ is added to it by one fma. All exponentials of a row share the
  /// shift's error, which cancels. With a bias, scores are first d^−½ s + bias, with two more roundings.
  private func exponentials(of row: Int, _ bias: ScoreBias?, in s: UnsafeMutablePointer<Real>) -> Real {
    bias?.apply(to: s, row, keys, scale: scale)
    let factor = bias == nil ? scale : 1
    let visible = isCausal ? min(row + 1, keys) : keys
    let whole = (visible + 15) & ~15
    if visible < whole {
      // What follows the last visible key in its vector counts as −∞, whose exponential is 0.
      let last = s + (whole - 16)
      Lanes(loading: last).keeping(first: visible - (whole - 16), others: -.infinity).store(to: last)
    }
    if whole < stride { (s + whole).update(repeating: 0, count: stride - whole) }
    let (scale, shift) = (Lanes(repeating: factor), Lanes(repeating: -rowMaximum(s, whole) * factor))
    @inline(__always)
    func power(_ index: Int, _ present: Int) -> Lanes {
      let power = Transcendental.expOfNegative(shift.fma(Lanes(loading: s + index), scale))
      power.store(to: s + index)
      return power
    }
    return rowSum(whole, power)
  }

  /// ∂Q, ∂K and ∂V of one head; d^−½ ∂S, [queries, keys], is added to `sum`.
  func backward(
    _ q: UnsafePointer<Real>, _ k: UnsafePointer<Real>, _ v: UnsafePointer<Real>, _ dOutput: UnsafePointer<Real>,
    bias: ScoreBias? = nil, into dq: UnsafeMutablePointer<Real>, _ dk: UnsafeMutablePointer<Real>,
    _ dv: UnsafeMutablePointer<Real>, addingScores sum: UnsafeMutablePointer<Real>? = nil
  ) {
    func packed(_ view: MatrixView, _ depth: Int, _ columns: Int) -> PackedMatrix {
      PackedMatrix(view, depth: depth, columns: columns, parallel: false)
    }
    let (keysAcross, valuesAcross) = (
      packed(view(k).transposed, headWidth, keys), packed(view(v).transposed, headWidth, keys)
    )
    let packedKeys = packed(view(k), keys, headWidth)
    withScratch(2 * Self.block * stride) { p in
      let ds = p + Self.block * stride
      // No product writes after the last key, where P is 0 and ∂P must not be NaN.
      ds.update(repeating: 0, count: Self.block * stride)
      forEachBlock { rows in
        let (count, first) = (rows.count, rows.lowerBound)
        let (q, dO) = (view(q, from: first), view(dOutput, from: first))
        gemm(count, q, keysAcross, into: p, cStride: stride, parallel: false)
        gemm(count, dO, valuesAcross, into: ds, cStride: stride, parallel: false)
        for row in 0..<count {
          let ds = ds + row * stride
          scoreGradients(first + row, bias, p + row * stride, ds)
          guard let sum = sum.map({ $0 + (first + row) * keys }) else { continue }
          forEachLanes(keys) { store(load(sum + $0, $1) + load(ds + $0, $1), sum + $0, $1) }
        }
        let (pView, dS) = (MatrixView(p, rowStride: stride), MatrixView(ds, rowStride: stride))
        gemm(count, dS, packedKeys, into: dq + first * width, cStride: width, parallel: false)
        func add(_ a: MatrixView, _ b: MatrixView, to c: UnsafeMutablePointer<Real>) {
          gemm(
            keys, headWidth, count, a.transposed, b, into: c, cStride: width, accumulating: first > 0, parallel: false)
        }
        add(pView, dO, to: dv)
        add(dS, q, to: dk)
      }
    }
  }

  /// S and ∂P of a query become P and d^−½ ∂S.
  private func scoreGradients(
    _ row: Int, _ bias: ScoreBias?, _ p: UnsafeMutablePointer<Real>, _ ds: UnsafeMutablePointer<Real>
  ) {
    let factor = 1 / exponentials(of: row, bias, in: p)
    @inline(__always)
    func product(_ index: Int, _ present: Int) -> Lanes {
      let probability = Lanes(loading: p + index) * factor
      probability.store(to: p + index)
      return probability * Lanes(loading: ds + index)
    }
    let d = rowSum(stride, product)
    let scale = scale
    forEachLanes(stride) { index, _ in
      (Lanes(loading: p + index) * (Lanes(loading: ds + index) - d) * scale).store(to: ds + index)
    }
  }
}

/// The bias of the scores of one head of one window (`windowAttention`).
struct ScoreBias {
  /// [queries, keys]
  let values: UnsafePointer<Real>
  /// The part of every token, if there are several.
  let parts: UnsafePointer<Int32>?
  /// The bias of a pair from two of them.
  let otherPart: Real

  /// s becomes scale · s + bias for one query.
  func apply(to scores: UnsafeMutablePointer<Real>, _ query: Int, _ keys: Int, scale: Real) {
    let values = values + query &* keys
    forEachLanes(keys) { store(load(scores + $0, $1) * scale + load(values + $0, $1), scores + $0, $1) }
    guard let parts else { return }
    for key in 0..<keys where parts[key] != parts[query] { scores[key] += otherPart }
  }
}
