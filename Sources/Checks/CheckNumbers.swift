import Tensor

/// Reproducible random values for checks: uniform in −1 … 1, by SplitMix64 (Steele et al. 2014).
package struct CheckNumbers: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The sequence of a seed.
  package init(seed: UInt64) { state = seed }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A tensor of values in −scale … scale.
  package mutating func next(_ shape: Shape, scale: Real = 1) -> Tensor { next(shape, in: -scale...scale) }

  /// A tensor of values in a range.
  package mutating func next(_ shape: Shape, in range: ClosedRange<Real>) -> Tensor {
    Tensor(shape, (0..<shape.count).map { _ in Real.random(in: range, using: &self) })
  }

  /// The first tensor of a fresh sequence of this seed.
  package func tensor(_ shape: Shape, scale: Real = 1) -> Tensor {
    var numbers = self
    return numbers.next(shape, scale: scale)
  }
}
