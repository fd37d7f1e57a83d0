extension Variable {
  /// Stochastic depth (Huang et al. 2016; SPT (o)), sample by sample: a residual branch is dropped or kept as a whole.
  ///
  ///     y_b = x_b / (1 − p) where U_b ≥ p, else 0,   U_b uniform in [0, 1), one for every sample
  ///     ∂x_b = ∂y_b / (1 − p) where U_b ≥ p, else 0
  ///
  ///     E y_b = x_b,   Var y_b = x_b² p / (1 − p), all elements of a sample together
  ///
  /// - x (self), y: [samples, ...], one shape; p: 0 ... 1. p = 0 returns x itself and p = 1 zeros.
  /// - Sample b uses random number first sample + b of its draw: a part of a batch is treated as in the whole.
  /// - Keeps nothing: the same numbers are drawn again for the backward pass.
  public func dropPath(_ probability: Real, draw: DropDraw) -> Variable {
    require(
      0...1 ~= probability && shape.rank > 0,
      "dropPath: expected [samples, ...] and a probability from 0 to 1, found \(shape) and \(probability)")
    guard probability > 0 else { return self }
    let (random, origin) = (draw.random(.stochasticDepth), draw.first(width: 1, count: shape[0]))
    return dropPath { $0.samplesDropped(probability, random, from: origin) }
  }

  /// The same with given numbers U, such as those of another implementation.
  ///
  /// - uniform U: [samples]
  public func dropPath(_ probability: Real, uniform: Tensor) -> Variable {
    require(
      0...1 ~= probability && shape.rank > 0 && uniform.shape == [shape[0]],
      "dropPath: expected [samples, ...], a probability from 0 to 1 and a uniform number per sample, found \(shape), "
        + "\(probability) and \(uniform.shape)")
    guard probability > 0 else { return self }
    return dropPath { $0.samplesDropped(probability, uniform) }
  }

  /// The derivative drops what the function drops.
  private func dropPath(_ dropped: @escaping @Sendable (Tensor) -> Tensor) -> Variable {
    Tape.record(.dropPath, dropped(value), from: [self]) { [dropped($0)] }
  }
}

extension Tensor {
  /// x_b / (1 − p) where random number `first` + b is p or more, else 0.
  fileprivate func samplesDropped(_ probability: Real, _ random: Random, from first: UInt64) -> Tensor {
    samplesDropped(probability) { random.uniform(at: first + UInt64($0)) }
  }

  /// The same with given numbers.
  fileprivate func samplesDropped(_ probability: Real, _ uniform: Tensor) -> Tensor {
    let numbers = uniform.values
    return samplesDropped(probability) { numbers[$0] }
  }

  private func samplesDropped(_ probability: Real, number: (_ sample: Int) -> Real) -> Tensor {
    let (samples, keep) = (shape[0], 1 - probability)
    let width = samples == 0 ? 0 : count / samples
    return Tensor.read(self) { x in
      Tensor(shape) { y in
        forEachRow(samples, width: width) { sample in
          let (x, y) = (x + sample &* width, y + sample &* width)
          guard number(sample) >= probability else {
            return y.update(repeating: 0, count: width)
          }
          forEachLanes(width) { store(load(x + $0, $1) / keep, y + $0, $1) }
        }
      }
    }
  }
}
