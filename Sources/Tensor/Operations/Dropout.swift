extension Variable {
  /// Dropout (Srivastava et al. 2014), in the inverted form: kept elements are scaled up, so that the mean stays.
  ///
  ///     y_i = x_i / (1 − p) where U_i ≥ p, else 0,   U_i uniform in [0, 1), one for every element
  ///     ∂x_i = ∂y_i / (1 − p) where U_i ≥ p, else 0
  ///
  ///     E y_i = x_i,   Var y_i = x_i² p / (1 − p)
  ///
  /// - x (self), y: [samples, ...], one shape; p: 0 ... 1. p = 0 returns x itself and p = 1 zeros.
  /// - Element j of sample b uses random number (first sample + b) · width + j of its draw, width being the elements of
  ///   a sample: a part of a batch has the mask that it has in the whole.
  /// - Keeps nothing: the same numbers are drawn again for the backward pass.
  public func dropout(_ probability: Real, draw: DropDraw) -> Variable {
    require(0...1 ~= probability, "dropout: expected a probability from 0 to 1, found \(probability)")
    guard probability > 0 else { return self }
    let width = UInt64(shape.extents.dropFirst().reduce(1, *))
    let (random, origin) = (draw.random(.dropout), draw.first(width: width, count: shape.count))
    return dropout { $0.dropped(probability, random, from: origin) }
  }

  /// The same with given numbers U, such as those of another implementation.
  ///
  /// - uniform U: the shape of x.
  public func dropout(_ probability: Real, uniform: Tensor) -> Variable {
    require(
      0...1 ~= probability && uniform.shape == shape,
      "dropout: expected a probability from 0 to 1 and uniform numbers of shape \(shape), found \(probability) and "
        + "\(uniform.shape)")
    guard probability > 0 else { return self }
    return dropout { $0.dropped(probability, uniform) }
  }

  /// The derivative drops what the function drops.
  private func dropout(_ dropped: @escaping @Sendable (Tensor) -> Tensor) -> Variable {
    Tape.record(.dropout, dropped(value), from: [self]) { [dropped($0)] }
  }
}

extension Tensor {
  /// x / (1 − p) where random number `first` + i is p or more, else 0.
  fileprivate func dropped(_ probability: Real, _ random: Random, from first: UInt64) -> Tensor {
    dropped(probability) { range, into in
      random.fill(into, from: first + UInt64(range.lowerBound), count: range.count)
    }
  }

  /// The same with given numbers.
  fileprivate func dropped(_ probability: Real, _ uniform: Tensor) -> Tensor {
    dropped(probability) { range, into in
      Tensor.read(uniform) { into.update(from: $0 + range.lowerBound, count: range.count) }
    }
  }

  private func dropped(
    _ probability: Real, draw: (Range<Int>, UnsafeMutablePointer<Real>) -> Void
  ) -> Tensor {
    // Random numbers stay in the first-level cache between generation and use.
    let piece = 4096
    let keep = 1 - probability
    return Tensor.read(self) { x in
      Tensor(shape) { y in
        Parallel.forEachRange(count, grain: piece) { range in
          let (x, y) = (x + range.lowerBound, y + range.lowerBound)
          withUnsafeTemporaryAllocation(of: Real.self, capacity: piece) { uniform in
            guard let uniform = uniform.baseAddress else { return }
            draw(range, uniform)
            forEachLanes(range.count) { index, present in
              let isKept = load(uniform + index, present) .>= probability
              store(Lanes.zero.replacing(with: load(x + index, present) / keep, where: isKept), y + index, present)
            }
          }
        }
      }
    }
  }
}
