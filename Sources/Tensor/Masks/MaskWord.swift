/// Sixty-four bits of a mask; bit i, counted from the least significant, belongs to the i-th weight of the word.
struct MaskWord: Equatable, Sendable {
  /// The number of bits.
  static let width = 64

  var bits: UInt64

  init(_ bits: UInt64) { self.bits = bits }

  /// The first `count` ≤ 64 bits set.
  init(ones count: Int) { bits = count == 0 ? 0 : .max >> UInt64(Self.width - count) }

  /// Bit i = 1 where element i of sixty-four is greater than `threshold`; 0 where it is NaN.
  @inline(__always)
  init(thresholding elements: UnsafePointer<Real>, above threshold: Real) {
    // An integer as wide as `Real` holds the bits of two or four groups of sixteen.
    let groups = LaneBits.Scalar.bitWidth / 16
    bits = 0
    for first in stride(from: 0, to: 4, by: groups) {
      var selected = LaneBits.zero
      for group in first..<(first &+ groups) {
        let powers = laneBits &<< LaneBits.Scalar(truncatingIfNeeded: 16 &* (group &- first))
        selected |= powers.selected(where: Lanes(loading: elements + 16 &* group), isAbove: threshold)
      }
      bits |= selected.union &<< UInt64(16 &* first)
    }
  }

  /// The same for the first `count` < 64 elements; the other bits are zero.
  init(thresholding elements: UnsafePointer<Real>, count: Int, above threshold: Real) {
    bits = 0
    forEachLanes(count) { index, present in
      let lanes = Lanes(loading: elements + index, count: present, padding: -.infinity)
      bits |= laneBits.selected(where: lanes, isAbove: threshold).union << UInt64(index)
    }
  }

  /// `elements` where the sixteen bits from `first` on are 1, zeros where they are 0.
  @inline(__always)
  func selecting(_ elements: Lanes, from first: Int) -> Lanes {
    let sixteen = LaneIntegers(repeating: LaneIntegers.Scalar(truncatingIfNeeded: bits &>> UInt64(first)))
    return Lanes.zero.replacing(with: elements, where: (sixteen & laneBits) .== laneBits)
  }

  /// Eight bytes, the bits of each in reverse order.
  var reversingBytes: MaskWord {
    var x = bits
    x = (x >> 1) & 0x5555_5555_5555_5555 | (x & 0x5555_5555_5555_5555) << 1
    x = (x >> 2) & 0x3333_3333_3333_3333 | (x & 0x3333_3333_3333_3333) << 2
    x = (x >> 4) & 0x0F0F_0F0F_0F0F_0F0F | (x & 0x0F0F_0F0F_0F0F_0F0F) << 4
    return MaskWord(x)
  }
}

/// Integers as wide as `Real`, so that comparing them selects lanes of values.
private typealias LaneIntegers = SIMD16<Real.RawSignificand>

// Computed, as a stored global of this size would be looked up, with a lock, for every sixteen numbers.

@inline(__always)
private var laneBits: LaneIntegers {
  LaneIntegers(0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000)
}

extension LaneBits {
  /// The lanes where a value is greater than `threshold`, zeros elsewhere.
  @inline(__always)
  fileprivate func selected(where elements: Lanes, isAbove threshold: Real) -> LaneBits {
    LaneBits.zero.replacing(with: self, where: elements .> threshold)
  }

  /// The bits that are 1 in any lane.
  @inline(__always)
  fileprivate var union: UInt64 {
    let eight = lowHalf | highHalf
    let four = eight.lowHalf | eight.highHalf
    let two = four.lowHalf | four.highHalf
    return UInt64(two.x | two.y)
  }
}
