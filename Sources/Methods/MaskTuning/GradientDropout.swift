import Tensor

/// Gradient dropout regularity (R-AMT eq. 7).
///
/// For each entry, a = ∂(L_ce + L_reg)/∂m and b = ∂L_kl/∂m. The step follows a; b, the pull towards the untuned model,
/// only decides whether a is applied in full:
///
///     P = ½ (1 + sgn(a) (a + b) / (|a| + |b| + ε)),   ε = 1e-8,   sgn(0) = 0
///     g = ((1 − λ) + λ · 1[P > U]) a,   U uniform in [0, 1), fresh for every entry and step
///
/// Agreeing signs give P ≈ 1: the gradient is kept. Opposing signs with |b| ≫ |a| give P ≈ 0: it is reduced to
/// (1 − λ) a. λ = 0 leaves every gradient as it is.
///
/// The corners, with s = |a| + |b|:
///
/// | a, b | P | what follows |
/// | --- | --- | --- |
/// | of one sign | ½ (1 + s/(s + ε)) | almost 1 for s ≫ ε: kept |
/// | of opposite signs | ½ (1 + (\|a\| − \|b\|)/(s + ε)) | ½ where they are equal in size, towards 0 as b outweighs a |
/// | b = 0, as where both models agree | ½ (1 + \|a\|/(\|a\| + ε)) | kept |
/// | a = 0 | ½ | g = 0 in either case |
/// | both far below ε | ½ | a coin is tossed |
///
/// P lies in [0, 1] and U in [0, 1), so P = 1 is always kept and P = 0 never. On average E g = ((1 − λ) + λ P) a.
/// The average is over U. U is a multiple of 2⁻²⁴, so P > U has probability ⌈2²⁴ P⌉ / 2²⁴, which is P to within 6e-8.
///
/// The overview figure of the paper exchanges the probabilities of the two outcomes; formula and released code
/// agree, and are followed here.
public struct GradientDropout: Sendable, Equatable {
  /// The share of a gradient that is lost when it is dropped, 0 ... 1.
  public let lambda: Real

  /// A rule of the given strength.
  public init(lambda: Real) { self.lambda = lambda }

  /// P for sixteen entries.
  @inline(__always)
  package static func keepProbability(_ a: Lanes, _ b: Lanes) -> Lanes {
    let sum = a + b
    let signed = sum.replacing(with: -sum, where: a .< 0).replacing(with: 0, where: a .== 0)
    return 0.5 * (1 + signed / (magnitude(a) + magnitude(b) + 1e-8))
  }

  /// P, of the shape of a and b.
  package static func keepProbabilities(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor.read(a, b) { a0, b0 in
      Tensor(a.shape) { p in
        for start in stride(from: 0, to: a.count, by: 16) {
          let count = min(16, a.count - start)
          keepProbability(Lanes(loading: a0 + start, count: count), Lanes(loading: b0 + start, count: count))
            .store(to: p + start, count: count)
        }
      }
    }
  }

  /// g for sixteen entries and their uniform random numbers.
  @inline(__always)
  private func combined(_ a: Lanes, _ b: Lanes, _ uniform: Lanes) -> Lanes {
    // The formula's factor where 1[P > U] = 1: in `Float` it may be one unit off 1, and is not simplified.
    let kept = Lanes(repeating: (1 - lambda) + lambda)
    return a * Lanes(repeating: 1 - lambda).replacing(with: kept, where: Self.keepProbability(a, b) .> uniform)
  }

  /// g for given uniform numbers: a, b and `uniform` of one shape.
  public func combined(_ a: Tensor, _ b: Tensor, uniform: Tensor) -> Tensor {
    require(
      uniform.shape == a.shape, "GradientDropout: expected uniform numbers of shape \(a.shape), found \(uniform.shape)")
    return combined(a, b) { range, into in
      Tensor.read(uniform) { into.update(from: $0 + range.lowerBound, count: range.count) }
    }
  }

  /// g for one tensor of a step: entry i uses value `first` + i of `random` as its U.
  public func combined(_ a: Tensor, _ b: Tensor, random: Random, from first: UInt64) -> Tensor {
    combined(a, b) { range, into in
      random.fill(into, from: first + UInt64(range.lowerBound), count: range.count)
    }
  }

  /// g, with U generated piece by piece by `draw`.
  private func combined(
    _ a: Tensor, _ b: Tensor, draw: (Range<Int>, UnsafeMutablePointer<Real>) -> Void
  ) -> Tensor {
    require(a.shape == b.shape, "GradientDropout: expected gradients of shape \(a.shape), found \(b.shape)")
    // Random numbers stay in the first-level cache between generation and use.
    let piece = 4096
    return Tensor.read(a, b) { a0, b0 in
      Tensor(a.shape) { g in
        Parallel.forEachRange(a.count, grain: 8 * piece) { range in
          withUnsafeTemporaryAllocation(of: Real.self, capacity: piece) { uniform in
            guard let uniform = uniform.baseAddress else { return }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: piece) {
              let count = min(piece, range.upperBound - start)
              draw(start..<start + count, uniform)
              var index = 0
              while index &+ 16 <= count {
                let position = start &+ index
                combined(Lanes(loading: a0 + position), Lanes(loading: b0 + position), Lanes(loading: uniform + index))
                  .store(to: g + position)
                index &+= 16
              }
              let rest = count &- index
              if rest > 0 {
                let position = start &+ index
                combined(
                  Lanes(loading: a0 + position, count: rest), Lanes(loading: b0 + position, count: rest),
                  Lanes(loading: uniform + index, count: rest)
                ).store(to: g + position, count: rest)
              }
            }
          }
        }
      }
    }
  }
}

/// |x| in every lane.
@inline(__always)
private func magnitude(_ x: Lanes) -> Lanes { x.replacing(with: -x, where: x .< 0) }
