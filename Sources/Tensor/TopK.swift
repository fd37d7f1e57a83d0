import Synchronization

/// The largest elements of several tensors taken as one list, in linear time and without sorting or copying them.
///
/// For numbers x > 0 the order of the values is the order of their bit patterns as integers. The k-th largest pattern
/// is found digit by digit from the top (radix selection): count the digits of all candidates, walk down the counts to
/// the digit that holds the k-th, keep the candidates that share it. Three passes find it in single precision, six
/// in double; integer counts have the same sum in any order, so the result does not depend on the number of threads.
package enum TopK {
  /// One mask per tensor with 1 at the `k` largest elements of all of them.
  ///
  /// Anything not above zero, including NaN, counts as 0. Among equal elements at the cut-off those that come first are
  /// kept, in the order of the tensors and of their elements: exactly `k` bits are 1. Traps unless `k` is in 0 ... the
  /// number of elements.
  package static func masks(of tensors: [Tensor], keeping k: Int) -> [BitMask] {
    let total = tensors.reduce(0) { $0 + $1.count }
    require(0...total ~= k, "TopK: expected to keep 0 to \(total) elements, found \(k)")
    guard k > 0 else { return tensors.map { BitMask(repeating: false, count: $0.count) } }
    let (key, count) = border(tensors, k)
    var ties = count ?? 0
    let border = Real(bitPattern: key)
    return tensors.map { tensor in
      var mask = BitMask(thresholding: tensor, above: border)
      Tensor.read(tensor) { x in
        for index in 0..<tensor.count where ties > 0 && Self.key(x[index]) == key {
          mask[index] = true
          ties -= 1
        }
      }
      return mask
    }
  }

  typealias Key = Real.RawSignificand

  /// The integer key of a value: 0 for anything not above zero.
  @inline(__always)
  static func key(_ x: Real) -> Key { x > 0 ? x.bitPattern : 0 }

  /// The key of the kth largest element, and the number of elements with this key among the k largest.
  ///
  /// - slack: stop early once at most `slack` smaller elements share the digits found so far; the key is then a lower
  ///   bound, and `ties` is `nil`.
  static func border(_ tensors: [Tensor], _ k: Int, tolerating slack: Int? = nil) -> (key: Key, ties: Int?) {
    var (prefix, known, rest, shift) = (Key(0), Key(0), k, Key.bitWidth)
    while shift > 0 {
      let width = min(digitWidth, shift)
      shift -= width
      let counts = digits(tensors, at: shift, width: width, where: known, equals: prefix)
      var digit = counts.count - 1
      while counts[digit] < rest {
        rest -= counts[digit]
        digit -= 1
      }
      prefix |= Key(digit) << Key(shift)
      known |= Key(counts.count - 1) << Key(shift)
      if let slack, shift > 0, counts[digit] - rest <= slack { return (prefix, nil) }
    }
    return (prefix, rest)
  }

  /// Bits of a digit: 2048 counts stay in the first-level cache.
  private static let digitWidth = 11

  /// The number of occurrences of each digit among the keys whose bits under `known` are those of `prefix`.
  private static func digits(
    _ tensors: [Tensor], at shift: Int, width: Int, where known: Key, equals prefix: Key
  ) -> [Int] {
    let size = 1 << width
    let counts = Mutex([Int](repeating: 0, count: size))
    let (shift, lowBits) = (Key(shift), Key(size - 1))
    for tensor in tensors {
      Tensor.read(tensor) { x in
        Parallel.forEachRange(tensor.count, grain: 1 << 18) { range in
          withUnsafeTemporaryAllocation(of: Int.self, capacity: size) { own in
            guard let own = own.baseAddress else { return }
            own.initialize(repeating: 0, count: size)
            for index in range {
              let key = key(x[index])
              if key & known == prefix { own[Int(truncatingIfNeeded: (key &>> shift) & lowBits)] &+= 1 }
            }
            counts.withLock { for digit in 0..<size { $0[digit] += own[digit] } }
          }
        }
      }
    }
    return counts.withLock { $0 }
  }
}
