/// Random numbers addressed by (seed, purpose, step, index): no state, no order, the same on every machine.
///
/// A number depends on these four alone, so any thread may draw any part of a step, a resumed run draws what the
/// uninterrupted one would have, and adding a draw for one purpose changes no other. Generator: Philox4x32-10 with the
/// seed as its key and the counter (block low, block high, step, purpose); number 4 b + w is word w of block b.
public struct Random: Hashable, Sendable {
  /// What numbers are drawn for; the values are part of the definition of every run and never change.
  public enum Purpose: UInt32, CaseIterable, Sendable {
    /// Starting values of new weights.
    case initialization = 1
    /// The order of the images of an epoch.
    case shuffle = 2
    /// Crops and flips.
    case augmentation = 3
    /// The uniform numbers U of gradient dropout.
    case gradientDropout = 4
    /// Dropped activations.
    case dropout = 5
    /// Skipped residual branches.
    case stochasticDepth = 6
    /// Drawn configurations of a search.
    case search = 7
    /// Images and labels that are made, not read.
    case synthesis = 8
    /// Directions of finite differences and other tests.
    case check = 9
  }

  /// The seed of the run.
  public let seed: UInt64
  /// What the numbers are drawn for.
  public let purpose: Purpose
  /// The training step, epoch or other serial number they belong to.
  public let step: UInt32

  /// The numbers of one step; traps on a step that is negative or does not fit in 32 bits.
  public init(seed: UInt64, purpose: Purpose, step: Int = 0) {
    require(UInt32(exactly: step) != nil, "Random: expected a step from 0 to 2^32 - 1, found \(step)")
    self.seed = seed
    self.purpose = purpose
    self.step = UInt32(step)
  }

  private var key: SIMD2<UInt32> {
    SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
  }

  /// Block `index` of four random words.
  public func block(_ index: UInt64) -> SIMD4<UInt32> {
    let counter = SIMD4(
      UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), step, purpose.rawValue)
    return Philox.block(counter: counter, key: key)
  }

  /// Number `index` of the uniform distribution on [0, 1): a multiple of 2⁻²⁴, the same in single and double builds.
  public func uniform(at index: UInt64) -> Real {
    Self.fraction(block(index / 4)[Int(index % 4)])
  }

  /// The upper 24 bits of a word as a fraction of 2²⁴, which `Float` holds exactly.
  @inline(__always)
  private static func fraction(_ word: UInt32) -> Real { Real(Int32(truncatingIfNeeded: word &>> 8)) * 0x1p-24 }

  /// Number `index` of the uniform distribution on [0, 1) with 53 bits, from words 0 and 1 of a block of its own.
  public func fineUniform(at index: UInt64) -> Double {
    let words = block(index)
    return Double((UInt64(words[1]) << 32 | UInt64(words[0])) >> 11) * 0x1p-53
  }

  /// Writes `uniform(at: first)`, `uniform(at: first + 1)`, … to `numbers`.
  public func fill(_ numbers: UnsafeMutablePointer<Real>, from first: UInt64 = 0, count: Int) {
    var index = 0
    // Single numbers up to the first that begins a block, eight blocks at a time, single numbers to the end.
    while index < count, (first &+ UInt64(index)) % 4 != 0 {
      numbers[index] = uniform(at: first &+ UInt64(index))
      index += 1
    }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 16) { pairs in
      let pairs = pairs.baseAddress!
      while index &+ 32 <= count {
        let block = (first &+ UInt64(index)) / 4
        Philox.eightBlocks(from: block, step, purpose.rawValue, key: key, into: pairs)
        let group = numbers + index
        for lane in 0..<8 {
          let low = pairs[lane]
          let high = pairs[lane &+ 8]
          group[lane &* 4] = Self.fraction(UInt32(truncatingIfNeeded: low))
          group[lane &* 4 &+ 1] = Self.fraction(UInt32(truncatingIfNeeded: low &>> 32))
          group[lane &* 4 &+ 2] = Self.fraction(UInt32(truncatingIfNeeded: high))
          group[lane &* 4 &+ 3] = Self.fraction(UInt32(truncatingIfNeeded: high &>> 32))
        }
        index &+= 32
      }
    }
    while index < count {
      numbers[index] = uniform(at: first &+ UInt64(index))
      index += 1
    }
  }

  /// A tensor of uniform numbers, drawn by several threads.
  public func uniform(_ shape: Shape) -> Tensor {
    Tensor(shape) { numbers in
      Parallel.forEachRange(shape.count, grain: 1 << 16) { range in
        fill(numbers + range.lowerBound, from: UInt64(range.lowerBound), count: range.count)
      }
    }
  }
}
