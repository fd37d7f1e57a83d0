/// The numbers of a `Random` in sequence, for shuffles and crops, which need an unknown number of them.
///
/// A stream reads the same words that `Random` addresses by index: one purpose and step is used one way or the
/// other, not in both.
package struct RandomStream: RandomNumberGenerator, Sendable {
  private let random: Random
  /// The number of 64-bit values generated; a stream continued from it generates the next ones.
  package private(set) var position: UInt64
  private var words: SIMD4<UInt32> = .zero

  /// The stream from its beginning or from a position.
  package init(_ random: Random, position: UInt64 = 0) {
    self.random = random
    self.position = position
    if position % 2 == 1 { words = random.block(position / 2) }
  }

  /// The stream of one purpose and step.
  package init(seed: UInt64, purpose: Random.Purpose, step: Int = 0) {
    self.init(Random(seed: seed, purpose: purpose, step: step))
  }

  /// The next 64 random bits: words 0 and 1 of a block, then words 2 and 3.
  package mutating func next() -> UInt64 {
    defer { position += 1 }
    guard position % 2 == 0 else { return UInt64(words[3]) << 32 | UInt64(words[2]) }
    words = random.block(position / 2)
    return UInt64(words[1]) << 32 | UInt64(words[0])
  }

  /// The next number of the uniform distribution on [0, 1), with 53 bits.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// The next number of the uniform distribution on [low, high).
  package mutating func uniform(in range: Range<Double>) -> Double {
    let value = range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    // The sum may round up to the end of the range, which is excluded.
    return value < range.upperBound ? value : range.upperBound.nextDown
  }

  /// The next integer from 0 to `bound` − 1, every one equally likely; traps unless `bound` is positive.
  ///
  /// ⌊x n / 2⁶⁴⌋ for 64 random bits x, which are redrawn if the product's lower half is below 2⁶⁴ mod n: that
  /// leaves the same number of x for every result (Lemire 2019).
  package mutating func integer(below bound: Int) -> Int {
    require(bound > 0, "RandomStream.integer: expected a positive bound, found \(bound)")
    let n = UInt64(bound)
    var product = next().multipliedFullWidth(by: n)
    if product.low < n {
      let unfair = (0 &- n) % n
      while product.low < unfair { product = next().multipliedFullWidth(by: n) }
    }
    return Int(product.high)
  }

  /// The integers 0 ..< `count` in random order, every order equally likely (Fisher–Yates).
  package mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, integer(below: last + 1)) }
    return order
  }
}
