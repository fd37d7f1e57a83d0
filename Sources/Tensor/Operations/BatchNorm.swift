extension Variable {
  /// Batch normalisation with fixed statistics (Ioffe and Szegedy 2015, inference form).
  ///
  ///     x̂ = (x − μ) / √(σ² + ε),   y = γ x̂ + β
  ///     ∂x = γ ∂y / √(σ² + ε),   ∂γ = Σ ∂y x̂,   ∂β = Σ ∂y   (sums over batch and pixels)
  ///
  /// - x (self), y: [batch, channels, h, w]; γ, β, running mean μ and variance σ²: [channels].
  /// - Keeps x where γ needs a gradient.
  public func batchNorm(
    gamma: Variable, beta: Variable, mean: Tensor, variance: Tensor, epsilon: Real
  ) -> Variable {
    let (batch, channels, pixels) = (shape[0], shape[1], shape[2] * shape[3])
    for tensor in [gamma.value, beta.value, mean, variance] {
      require(tensor.shape == [channels], "batchNorm: expected parameters [\(channels)], found \(tensor.shape)")
    }
    let reciprocal = variance.mapLanes { 1 / ($0 + epsilon).squareRoot() }
    let y = Tensor.read(value, gamma.value, beta.value, mean) { x, gamma, beta, mean in
      Tensor.read(reciprocal) { reciprocal in
        Tensor(shape) { y in
          Parallel.forEach(batch * channels) { piece in
            let channel = piece % channels
            let (x, y) = (x + piece * pixels, y + piece * pixels)
            let (scale, mean, shift) = (gamma[channel] * reciprocal[channel], mean[channel], beta[channel])
            forEachLanes(pixels) { store((load(x + $0, $1) - mean) * scale + shift, y + $0, $1) }
          }
        }
      }
    }
    let (xShape, scale) = (shape, gamma.value)
    let (xNeeds, betaNeeds, kept) = (needsGradient, beta.needsGradient, gamma.needsGradient ? value : nil)
    return Tape.record(.batchNorm, y, from: [self, gamma, beta]) { dy in
      Tensor.read(dy, scale, mean, reciprocal) { dy, gamma, mean, reciprocal in
        let dx =
          !xNeeds
          ? nil
          : Tensor(xShape) { dx in
            Parallel.forEach(batch * channels) { piece in
              let (dy, dx) = (dy + piece * pixels, dx + piece * pixels)
              let factor = gamma[piece % channels] * reciprocal[piece % channels]
              forEachLanes(pixels) { store(load(dy + $0, $1) * factor, dx + $0, $1) }
            }
          }
        /// The sum over batch and pixels of one channel. Images are added one after another in `Real`: a batch is too
        /// short for the blocks of `Reductions.swift`.
        func channelSums(_ lanes: (_ channel: Int, _ offset: Int, _ present: Int) -> Lanes) -> Tensor {
          Tensor([channels]) { sums in
            Parallel.forEach(channels) { channel in
              sums[channel] = (0..<batch).reduce(0) { sum, picture in
                let start = (picture * channels + channel) * pixels
                return sum + rowSum(pixels) { lanes(channel, start + $0, $1) }
              }
            }
          }
        }
        let dgamma = kept.map { input in
          Tensor.read(input) { x in
            channelSums { channel, offset, present in
              load(dy + offset, present) * (load(x + offset, present) - mean[channel]) * reciprocal[channel]
            }
          }
        }
        return [dx, dgamma, betaNeeds ? channelSums { load(dy + $1, $2) } : nil]
      }
    }
  }
}
