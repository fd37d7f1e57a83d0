import Tensor

/// The generator behind Python's `random`: MT19937 with CPython's seeding, integers, `sample` and `shuffle`.
///
/// The few-shot subsets of published results were sampled with it, so the same images are found only with the same
/// random numbers. Generator: Matsumoto and Nishimura 1998; seeding: their `init_by_array` of the seed's 32-bit words.
/// For all other random numbers of this library, see `Random`.
package struct PythonRandom: Sendable {
  private static let size = 624
  private static let shift = 397

  private var state: [UInt32]
  private var position = PythonRandom.size

  /// `random.seed(seed)`: the sign does not matter, as in Python.
  package init(seed: Int) {
    let magnitude = UInt64(seed.magnitude)
    let words = [UInt32(truncatingIfNeeded: magnitude), UInt32(truncatingIfNeeded: magnitude >> 32)]
    self.init(words: words[1] == 0 ? [words[0]] : words)
  }

  /// The seed of a larger integer, by its 32-bit words, the lowest first; traps on none.
  package init(words key: [UInt32]) {
    require(!key.isEmpty, "PythonRandom: expected words of a seed, found none")
    let size = PythonRandom.size
    var state = [UInt32](repeating: 19_650_218, count: size)
    for i in 1..<size { state[i] = 1_812_433_253 &* Self.mixed(state[i - 1]) &+ UInt32(i) }
    var i = 1
    var j = 0
    for _ in 0..<max(size, key.count) {
      state[i] = (state[i] ^ (Self.mixed(state[i - 1]) &* 1_664_525)) &+ key[j] &+ UInt32(truncatingIfNeeded: j)
      Self.advance(&i, &state)
      j = (j + 1) % key.count
    }
    for _ in 1..<size {
      state[i] = (state[i] ^ (Self.mixed(state[i - 1]) &* 1_566_083_941)) &- UInt32(i)
      Self.advance(&i, &state)
    }
    state[0] = 0x8000_0000
    self.state = state
  }

  private static func mixed(_ word: UInt32) -> UInt32 { word ^ word >> 30 }

  /// The next index of the seeding; the state wraps around over word 0, which then repeats the last one.
  private static func advance(_ i: inout Int, _ state: inout [UInt32]) {
    i += 1
    if i == size {
      state[0] = state[size - 1]
      i = 1
    }
  }

  /// The next 32 bits.
  package mutating func nextWord() -> UInt32 {
    if position == Self.size { renew() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9d2c_5680
    word ^= word << 15 & 0xefc6_0000
    return word ^ word >> 18
  }

  /// The next 624 words of the state.
  private mutating func renew() {
    for i in 0..<Self.size {
      let joined = state[i] & 0x8000_0000 | state[(i + 1) % Self.size] & 0x7fff_ffff
      state[i] = state[(i + Self.shift) % Self.size] ^ joined >> 1 ^ (joined & 1 == 1 ? 0x9908_b0df : 0)
    }
    position = 0
  }

  /// `random.random()`: 53 bits from two words.
  package mutating func random() -> Double {
    let high = Double(nextWord() >> 5)
    let low = Double(nextWord() >> 6)
    return (high * 0x1p26 + low) * 0x1p-53
  }

  /// `random.getrandbits(count)` for 1 to 64 bits: the top bits of one word, the first of two being the lower one.
  package mutating func bits(_ count: Int) -> UInt64 {
    require((1...64).contains(count), "PythonRandom.bits: expected 1 to 64 bits, found \(count)")
    guard count > 32 else { return UInt64(nextWord() >> UInt32(32 - count)) }
    let low = UInt64(nextWord())
    return UInt64(nextWord() >> UInt32(64 - count)) << 32 | low
  }

  /// An integer from 0 to `bound` − 1: bits as many as `bound` itself has, drawn until they are below it.
  package mutating func integer(below bound: Int) -> Int {
    require(bound > 0, "PythonRandom.integer: expected a positive bound, found \(bound)")
    let count = Int.bitWidth - bound.leadingZeroBitCount
    var value = bits(count)
    while value >= UInt64(bound) { value = bits(count) }
    return Int(value)
  }

  /// `random.sample(range(n), k)`: k of the integers below n, in the order drawn; traps unless 0 ≤ k ≤ n.
  ///
  /// Where n is at most 21, plus for k > 5 the first power of 4 that is at least 3 k, the numbers come from a pool
  /// whose gaps are filled from its end; otherwise from 0 ..< n, again where a number was drawn before.
  package mutating func sample(_ k: Int, of n: Int) -> [Int] {
    require(k >= 0 && k <= n, "PythonRandom.sample: expected 0 to \(n) numbers, found \(k)")
    var poolLimit = 21
    if k > 5 {
      var power = 1
      while power < 3 * k { power *= 4 }
      poolLimit += power
    }
    var result: [Int] = []
    result.reserveCapacity(k)
    if n <= poolLimit {
      var pool = Array(0..<n)
      for i in 0..<k {
        let j = integer(below: n - i)
        result.append(pool[j])
        pool[j] = pool[n - i - 1]
      }
    } else {
      var drawn: Set<Int> = []
      while result.count < k {
        let j = integer(below: n)
        if drawn.insert(j).inserted { result.append(j) }
      }
    }
    return result
  }

  /// `random.shuffle(items)`.
  package mutating func shuffle<Item>(_ items: inout [Item]) {
    for i in stride(from: items.count - 1, to: 0, by: -1) { items.swapAt(i, integer(below: i + 1)) }
  }
}
