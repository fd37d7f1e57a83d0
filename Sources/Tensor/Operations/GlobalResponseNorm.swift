extension Variable {
  /// Global response normalisation of a map with its channels last (ConvNeXt V2; Woo et al. 2023, section 3.2 and the
  /// released code).
  ///
  ///     y = x + γ x n + β,   n_c = g_c / (mean g + ε),   g_c = ‖x_c‖ over the pixels of one map
  ///
  /// Backward, with m = mean g + ε, a_c = γ_c Σ_pixels ∂y x and width channels:
  ///
  ///     ∂g_c = a_c / m − Σ_k a_k g_k / (width m²),   ∂x = ∂y (1 + γ n) + ∂g x / g
  ///     ∂γ = Σ ∂y x n,   ∂β = Σ ∂y      over maps and pixels
  ///
  /// - x (self), y: [batch, pixels, width]; γ, β: [width]. Where g_c is 0, so is its share of ∂x.
  /// - Keeps x and g, [batch, width].
  public func globalResponseNorm(gamma: Variable, beta: Variable, epsilon: Real) -> Variable {
    require(
      shape.rank == 3 && gamma.shape == [shape[2]] && beta.shape == [shape[2]],
      "globalResponseNorm: expected [batch, pixels, width] and gamma and beta [width], found \(shape), "
        + "\(gamma.shape), \(beta.shape)")
    let (batch, pixels, width) = (shape[0], shape[1], shape[2])
    let norms = value.channelNorms()
    func divisor(_ norms: UnsafePointer<Real>) -> Real {
      rowSum(width) { load(norms + $0, $1) } / Real(width) + epsilon
    }
    let y = Tensor.read(value, norms, gamma.value, beta.value) { x, norms, gamma, beta in
      Tensor(shape) { y in
        forEachRow(batch * pixels, width: width) { row in
          let (x, y, norms) = (x + row &* width, y + row &* width, norms + row / pixels &* width)
          let m = divisor(norms)
          forEachLanes(width) { index, present in
            let value = load(x + index, present)
            let response: Lanes = load(gamma + index, present) * (load(norms + index, present) / m)
            store(value + value * response + load(beta + index, present), y + index, present)
          }
        }
      }
    }
    let (input, scale) = (value, gamma.value)
    let (xNeeds, gammaNeeds, betaNeeds) = (needsGradient, gamma.needsGradient, beta.needsGradient)
    return Tape.record(.globalResponseNorm, y, from: [self, gamma, beta]) { dy in
      // Σ_pixels ∂y x of every map and channel.
      let products = dy.channelProducts(input)
      return Tensor.read(dy, input, norms, products) { dy, x, norms, products in
        let dx =
          !xNeeds
          ? nil
          : Tensor.read(scale) { gamma in
            Tensor(input.shape) { dx in
              forEachRow(batch * pixels, width: width) { row in
                let map = row / pixels &* width
                let (x, dy, dx) = (x + row &* width, dy + row &* width, dx + row &* width)
                let (norms, products) = (norms + map, products + map)
                let m = divisor(norms)
                let shared =
                  rowSum(width) {
                    let share: Lanes = load(gamma + $0, $1) * load(products + $0, $1)
                    return share * load(norms + $0, $1)
                  } / (Real(width) * m * m)
                forEachLanes(width) { index, present in
                  let (factor, norm) = (load(gamma + index, present), load(norms + index, present))
                  let dnorm: Lanes = factor * load(products + index, present) / m - shared
                  let quotient = (dnorm * load(x + index, present) / norm).replacing(with: .zero, where: norm .== 0)
                  let direct: Lanes = load(dy + index, present) * (1 + factor * (norm / m))
                  store(direct + quotient, dx + index, present)
                }
              }
            }
          }
        let dgamma =
          !gammaNeeds
          ? nil
          : sumOverRows(batch, width: width) { map, column, present in
            let at = map &* width
            return load(products + (at &+ column), present)
              * (load(norms + (at &+ column), present) / divisor(norms + at))
          }
        let dbeta =
          !betaNeeds
          ? nil
          : sumOverRows(batch * pixels, width: width) { row, column, present in
            load(dy + (row &* width &+ column), present)
          }
        return [dx, dgamma, dbeta]
      }
    }
  }
}

extension Tensor {
  /// Σ over the pixels of a map of the products with another: [batch, pixels, width] → [batch, width].
  fileprivate func channelProducts(_ other: Tensor) -> Tensor {
    let (batch, pixels, width) = (shape[0], shape[1], shape[2])
    return Tensor.read(self, other) { a, b in
      Tensor([batch, width]) { sums in
        for map in 0..<batch {
          let (a, b) = (a + map * pixels * width, b + map * pixels * width)
          sumOverRows(pixels, width: width, into: sums + map * width) { row, column, present in
            load(a + (row &* width &+ column), present) * load(b + (row &* width &+ column), present)
          }
        }
      }
    }
  }

  /// The Euclidean norm of each channel of each map: [batch, pixels, width] → [batch, width].
  fileprivate func channelNorms() -> Tensor { channelProducts(self).mapLanes { $0.squareRoot() } }
}
