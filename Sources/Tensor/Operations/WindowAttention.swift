/// The windows within which the tokens of a map attend to each other (Liu et al. 2021, section 3.2), or a whole map
/// preceded by a class token (Bao et al. 2022, released code of BEiT).
public struct AttentionWindows: Sendable {
  /// The tokens along one side of a window.
  public let size: Int
  /// True if a class token precedes those of a window.
  public let hasClassToken: Bool
  /// The tokens of a window.
  public var tokens: Int { size * size + (hasClassToken ? 1 : 0) }
  /// The rows of a table of relative positions: (2 size − 1)², and with a class token three more.
  public var relations: Int { (2 * size - 1) * (2 * size - 1) + (hasClassToken ? 3 : 0) }
  /// The row of every pair of a query and a key: (Δrow + size − 1)(2 size − 1) + Δcolumn + size − 1; after all of
  /// these the class token to another token, another to the class token, and the class token to itself.
  let relation: [Int32]
  /// The windows of one map.
  public let windows: Int
  /// The part of the map a token came from, window after window; empty where all windows are whole.
  package let parts: [Int32]
  /// The bias of the score of a pair from two parts: −100, as published. e⁻¹⁰⁰ is subnormal in `Float`, so it acts as
  /// −∞ but where scores differ by as much.
  let otherPart: Real

  /// Windows of `size` · `size` tokens, each possibly preceded by a class token.
  ///
  /// - parts: where a map was rolled, windows at its edge hold tokens of several parts, which do not see each other:
  ///   the index of its part for every token, window after window. otherPart: the bias of a pair from two of them.
  public init(
    size: Int, windows: Int, parts: [Int32]? = nil, otherPart: Real = -100, hasClassToken: Bool = false
  ) {
    require(
      size > 0 && windows > 0 && (parts.map { $0.count == windows * size * size && !hasClassToken } ?? true),
      "AttentionWindows: expected \(windows) windows of \(size) · \(size) parts")
    (self.size, self.windows, self.parts, self.hasClassToken) = (size, windows, parts ?? [], hasClassToken)
    self.otherPart = otherPart
    let (side, first) = (2 * size - 1, hasClassToken ? 1 : 0)
    relation = (0..<size * size + first).flatMap { query in
      (0..<size * size + first).map { key in
        if hasClassToken, query == 0 || key == 0 {
          return Int32(side * side + (query > 0 ? 1 : key > 0 ? 0 : 2))
        }
        let (query, key) = (query - first, key - first)
        let row = query / size - key / size + size - 1
        let column = query % size - key % size + size - 1
        return Int32(row * side + column)
      }
    }
  }
}

extension Variable {
  /// Scaled dot-product attention within windows, with a bias by relative position (Liu et al. 2021, eq. 4).
  ///
  /// In each head h of width d, with queries Q, keys K and values V of one window, r(i, j) the row of T for a pair, and
  /// b the bias of a pair from two parts, −100 as published:
  ///
  ///     S_ij = d^−½ Q_i · K_j + T[r(i, j), h] + b 1[part i ≠ part j],   P = softmax(S),   O = P V
  ///
  /// Backward as attention without a bias, and
  ///
  ///     ∂T[r, h] = Σ_windows Σ_{i, j: r(i, j) = r} ∂S_ij
  ///
  /// - queries (self), keys, values, output: [batch · windows, tokens, heads · d]; table T: [relations,
  ///   heads], as `AttentionWindows` counts them.
  /// - Keeps queries, keys, values and T; P is recomputed.
  public func windowAttention(
    keys: Variable, values: Variable, relativePositions table: Variable, heads: Int, in windows: AttentionWindows
  ) -> Variable {
    require(
      shape.rank == 3 && shape[0] % windows.windows == 0 && shape[1] == windows.tokens && keys.shape == shape
        && values.shape == shape && heads > 0 && shape[2] % heads == 0 && table.shape == [windows.relations, heads],
      "windowAttention: expected [windows, \(windows.tokens), \(heads) heads] and a table [\(windows.relations), "
        + "\(heads)], found \(shape), \(keys.shape), \(values.shape), \(table.shape)")
    let head = HeadLayout(
      batch: shape[0], queries: shape[1], keys: shape[1], heads: heads, width: shape[2], isCausal: false)
    let (q, k, v) = (value, keys.value, values.value)
    let bias = windows.bias(table.value)
    let output = Tensor.read(q, k, v, bias) { q, k, v, bias in
      Tensor(shape) { output in
        windows.parts.withUnsafeBufferPointer { parts in
          head.forEachHead { window, index in
            let (at, _) = head.offsets(window, index)
            head.forward(
              q + at, k + at, v + at, bias: windows.scoreBias(bias, parts, window, index), into: output + at)
          }
        }
      }
    }
    let tableNeeds = table.needsGradient
    return Tape.record(.windowAttention, output, from: [self, keys, values, table]) { dOutput in
      var (dq, dk, dv) = (Tensor.zeros(q.shape), Tensor.zeros(k.shape), Tensor.zeros(v.shape))
      let blocks = (head.batch + windowsOfSum - 1) / windowsOfSum
      let pairs = head.queries * head.keys
      var sums = Tensor.zeros([tableNeeds ? blocks : 0, heads, pairs])
      Tensor.read(q, k, v, bias) { q, k, v, bias in
        Tensor.read(dOutput) { dOutput in
          dq.write { dq in
            dk.write { dk in
              dv.write { dv in
                sums.write { sums in
                  windows.parts.withUnsafeBufferPointer { parts in
                    Parallel.forEach(blocks * heads) { piece in
                      let (block, index) = piece.quotientAndRemainder(dividingBy: heads)
                      let first = block * windowsOfSum
                      for window in first..<min(first + windowsOfSum, head.batch) {
                        let (at, _) = head.offsets(window, index)
                        head.backward(
                          q + at, k + at, v + at, dOutput + at, bias: windows.scoreBias(bias, parts, window, index),
                          into: dq + at, dk + at, dv + at, addingScores: tableNeeds ? sums + piece * pairs : nil)
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
      return [dq, dk, dv, tableNeeds ? windows.tableGradient(sums, scale: 1 / head.scale) : nil]
    }
  }
}

/// Windows whose ∂S are summed in `Real` before they join the others in double precision.
private let windowsOfSum = 64

extension AttentionWindows {
  /// T[r(i, j), h] for every head and pair: [heads, tokens · tokens].
  fileprivate func bias(_ table: Tensor) -> Tensor {
    let (heads, pairs) = (table.shape[1], relation.count)
    return Tensor.read(table) { table in
      Tensor([heads, pairs]) { bias in
        for head in 0..<heads {
          for pair in 0..<pairs { bias[head &* pairs &+ pair] = table[Int(relation[pair]) &* heads &+ head] }
        }
      }
    }
  }

  fileprivate func scoreBias(
    _ bias: UnsafePointer<Real>, _ parts: UnsafeBufferPointer<Int32>, _ window: Int, _ head: Int
  ) -> ScoreBias {
    ScoreBias(
      values: bias + head * relation.count,
      parts: parts.isEmpty ? nil : parts.baseAddress.map { $0 + window % windows * tokens }, otherPart: otherPart)
  }

  /// ∂T from sums over blocks of windows, [blocks, heads, pairs], of ∂S times the scale of the scores.
  fileprivate func tableGradient(_ sums: Tensor, scale: Real) -> Tensor {
    let (blocks, heads, pairs) = (sums.shape[0], sums.shape[1], sums.shape[2])
    return Tensor.read(sums) { sums in
      Tensor([relations, heads]) { table in
        for head in 0..<heads {
          var totals = [Double](repeating: 0, count: relations)
          for block in 0..<blocks {
            let sums = sums + (block * heads + head) * pairs
            for pair in 0..<pairs { totals[Int(relation[pair])] += Double(sums[pair]) }
          }
          for row in 0..<relations { table[row * heads + head] = Real(totals[row]) * scale }
        }
      }
    }
  }
}
