extension Variable {
  /// Layer normalisation over the last dimension (Ba et al. 2016).
  ///
  ///     x̂ = (x − mean x) / √(var x + ε),   y = γ x̂ + β
  ///
  /// Backward, with g = γ ∂y and means over the last dimension:
  ///
  ///     ∂x = (g − mean g − x̂ mean(g x̂)) / √(var x + ε),   ∂γ = Σ_rows ∂y x̂,   ∂β = Σ_rows ∂y
  ///
  /// Derivation, with n the width and σ = √(var x + ε): ∂σ/∂x_j = (x_j − mean x) / (n σ) = x̂_j / n, as the mean's own
  /// share is a sum of deviations, which is 0. Hence
  ///
  ///     ∂x̂_i/∂x_j = (1[i = j] − 1/n) / σ − (x_i − mean x) / σ² · x̂_j / n = (1[i = j] − 1/n − x̂_i x̂_j / n) / σ,
  ///
  /// and Σ_i g_i ∂x̂_i/∂x_j is the line above: g without its parts along (1, …, 1) and along x̂, the two directions in
  /// which a row may move without changing x̂ (but for ε).
  ///
  /// - x, y: [..., width]; γ, β: [width]. `var` divides by width, not width − 1.
  /// - Keeps x, and mean and reciprocal deviation, [rows] each; recomputes x̂.
  public func layerNorm(gamma: Variable, beta: Variable, epsilon: Real) -> Variable {
    let (rows, width) = (shape.rows, shape.width)
    require(
      gamma.shape == [width] && beta.shape == [width],
      "layerNorm: expected gamma and beta [\(width)], found \(gamma.shape) and \(beta.shape)")
    var statistics = Tensor.zeros([2, rows])
    let y = Tensor.read(value, gamma.value, beta.value) { x, gamma, beta in
      statistics.write { statistics in
        Tensor(shape) { y in
          forEachRow(rows, width: width) { row in
            let (x, y) = (x + row &* width, y + row &* width)
            let mean = rowSum(width) { load(x + $0, $1) } / Real(width)
            @inline(__always)
            func square(_ index: Int, _ present: Int) -> Lanes {
              let centred = load(x + index, present) - mean
              let square = centred * centred
              return present == 16 ? square : square.keeping(first: present)
            }
            let reciprocal = 1 / (rowSum(width, square) / Real(width) + epsilon).squareRoot()
            (statistics[row], statistics[rows &+ row]) = (mean, reciprocal)
            @inline(__always)
            func normalize(_ index: Int, _ present: Int) {
              let normalized = (load(x + index, present) - mean) * reciprocal
              store(load(beta + index, present).fma(load(gamma + index, present), normalized), y + index, present)
            }
            forEachLanes(width, normalize)
          }
        }
      }
    }
    let (input, kept, scale) = (value, statistics, gamma.value)
    let (xNeeds, gammaNeeds, betaNeeds) = (needsGradient, gamma.needsGradient, beta.needsGradient)
    return Tape.record(.layerNorm, y, from: [self, gamma, beta]) { dy in
      Tensor.read(dy, input, kept, scale) { dy, x, statistics, gamma in
        let dx =
          !xNeeds
          ? nil
          : Tensor(input.shape) { dx in
            forEachRow(rows, width: width) { row in
              let (x, dy, dx) = (x + row &* width, dy + row &* width, dx + row &* width)
              let (mean, reciprocal) = (statistics[row], statistics[rows &+ row])
              @inline(__always)
              func g(_ index: Int, _ present: Int) -> Lanes { load(dy + index, present) * load(gamma + index, present) }
              @inline(__always)
              func normalized(_ index: Int, _ present: Int) -> Lanes { (load(x + index, present) - mean) * reciprocal }
              @inline(__always)
              func product(_ index: Int, _ present: Int) -> Lanes { g(index, present) * normalized(index, present) }
              let (meanG, meanGX) = (rowSum(width, g) / Real(width), rowSum(width, product) / Real(width))
              @inline(__always)
              func gradient(_ index: Int, _ present: Int) {
                let scaled: Lanes = normalized(index, present) * meanGX
                let centred: Lanes = g(index, present) - meanG - scaled
                store(centred * reciprocal, dx + index, present)
              }
              forEachLanes(width, gradient)
            }
          }
        let dgamma =
          !gammaNeeds
          ? nil
          : sumOverRows(rows, width: width) { row, column, present in
            let offset = row &* width &+ column
            let normalized = (load(x + offset, present) - statistics[row]) * statistics[rows &+ row]
            return load(dy + offset, present) * normalized
          }
        let dbeta =
          !betaNeeds
          ? nil
          : sumOverRows(rows, width: width) { row, column, present in load(dy + (row &* width &+ column), present) }
        return [dx, dgamma, dbeta]
      }
    }
  }
}
