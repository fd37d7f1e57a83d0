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
  /// - Keeps x, g, [batch, width], and m, [batch].
  public func globalResponseNorm(gamma: Variable, beta: Variable, epsilon: Real) -> Variable {
    require(
      shape.rank == 3 && gamma.shape == [shape[2]] && beta.shape == [shape[2]],
      "globalResponseNorm: expected [batch, pixels, width] and gamma and beta [width], found \(shape), "
        + "\(gamma.shape), \(beta.shape)")
    let (batch, pixels, width) = (shape[0], shape[1], shape[2])
    let norms = value.channelNorms()
    let divisors = Tensor.read(norms) { norms in
      perMap(batch) { map in rowSum(width) { load(norms + (map &* width &+ $0), $1) } / Real(width) + epsilon }
    }
    let y = Tensor.read(value, norms, divisors, gamma.value) { x, norms, divisors, gamma in
      Tensor.read(beta.value) { beta in
        Tensor(shape) { y in
          forEachRow(batch * pixels, width: width) { row in
            let map = row / pixels
            let (x, y, norms, m) = (x + row &* width, y + row &* width, norms + map &* width, divisors[map])
            forEachLanes(width) { index, present in
              let value = load(x + index, present)
              let response: Lanes = load(gamma + index, present) * (load(norms + index, present) / m)
              store(value + value * response + load(beta + index, present), y + index, present)
            }
          }
        }
      }
    }
    let (input, scale) = (value, gamma.value)
    let (xNeeds, gammaNeeds, betaNeeds) = (needsGradient, gamma.needsGradient, beta.needsGradient)
    return Tape.record(.globalResponseNorm, y, from: [self, gamma, beta]) { dy in
      // a / γ = Σ_pixels ∂y x
      let products = dy.channelProducts(input)
      return Tensor.read(dy, norms, divisors, products) { dy, norms, divisors, products in
        let dx =
          !xNeeds
          ? nil
          : Tensor.read(input, scale) { x, gamma in
            // Σ_k a_k g_k / (width m²)
            let shares = perMap(batch) { map in
              let (at, m) = (map &* width, divisors[map])
              return rowSum(width) {
                let share: Lanes = load(gamma + $0, $1) * load(products + (at &+ $0), $1)
                return share * load(norms + (at &+ $0), $1)
              } / (Real(width) * m * m)
            }
            return Tensor.read(shares) { shares in
              Tensor(input.shape) { dx in
                forEachRow(batch * pixels, width: width) { row in
                  let map = row / pixels
                  let (x, dy, dx) = (x + row &* width, dy + row &* width, dx + row &* width)
                  let (norms, products) = (norms + map &* width, products + map &* width)
                  let (m, shared) = (divisors[map], shares[map])
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
          }
        let dgamma =
          !gammaNeeds
          ? nil
          : sumOverRows(batch, width: width) { map, column, present in
            let at = map &* width &+ column
            return load(products + at, present) * (load(norms + at, present) / divisors[map])
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

/// A number of each map: [batch].
private func perMap(_ batch: Int, _ number: (_ map: Int) -> Real) -> Tensor {
  Tensor([batch]) { numbers in for map in 0..<batch { numbers[map] = number(map) } }
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
