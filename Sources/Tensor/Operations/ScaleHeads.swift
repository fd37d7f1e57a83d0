extension Variable {
  /// Every head times the exponential of its own, bounded factor: the logit scale of cosine attention (Liu et al. 2022,
  /// Swin V2, section 3.2 and the released code).
  ///
  ///     y_h = c exp(min(s_h, l)) x_h,   ∂x_h = c exp(min(s_h, l)) ∂y_h,   ∂s_h = Σ ∂y_h y_h where s_h ≤ l, else 0
  ///
  /// - x (self), y: [..., heads · d], head h owning the columns from h · d; s: [heads]; c and l are constants.
  /// - Keeps the factors, and y and s where s needs a gradient. At s = l the gradient passes, as in PyTorch's `clamp`.
  public func scaledHeads(byExponentialOf exponents: Variable, limit: Real, factor: Real = 1) -> Variable {
    let (heads, width, rows) = (exponents.shape.count, shape.width, shape.rows)
    require(
      shape.rank > 0 && exponents.shape.rank == 1 && heads > 0 && width % heads == 0,
      "scaledHeads: expected [..., heads · d] and exponents [heads], found \(shape) and \(exponents.shape)")
    let headWidth = width / heads
    // c exp(min(s, l)) of every column.
    let columns = Tensor.read(exponents.value) { exponents in
      Tensor([width]) { columns in
        for column in 0..<width {
          columns[column] = factor * Transcendental.exp(min(exponents[column / headWidth], limit))
        }
      }
    }
    let y = value.scaledChannels(by: columns)
    let (xNeeds, kept) = (needsGradient, exponents.needsGradient ? (y: y, s: exponents.value) : nil)
    return Tape.record(.scaleHeads, y, from: [self, exponents]) { dy in
      let ds = kept.map { kept in
        let sums = Tensor.read(dy, kept.y) { dy, y in
          sumOverRows(rows, width: width) { row, column, present in
            load(dy + (row &* width &+ column), present) * load(y + (row &* width &+ column), present)
          }
        }
        return Tensor.read(sums, kept.s) { sums, s in
          Tensor([heads]) { ds in
            for head in 0..<heads {
              ds[head] = s[head] <= limit ? rowSum(headWidth) { load(sums + (head &* headWidth &+ $0), $1) } : 0
            }
          }
        }
      }
      return [xNeeds ? dy.scaledChannels(by: columns) : nil, ds]
    }
  }
}
