/// The words of a mask in memory: the loops of `BitMask`, parallel in whole words. It owns nothing.
struct MaskView {
  let words: UnsafeMutablePointer<MaskWord>
  /// The number of bits; those of the last word past it are zero.
  let count: Int

  /// Words per piece: 128 KiB of `Float` on the other side.
  private static let grain = 512

  /// The words that hold `count` bits.
  static func words(for count: Int) -> Int { count / MaskWord.width + (count % MaskWord.width == 0 ? 0 : 1) }

  /// Calls `body` for every word: its index, the index of its first bit, and the number of its valid bits.
  @inline(__always)
  private func forEachWord(_ body: (_ word: Int, _ first: Int, _ present: Int) -> Void) {
    Parallel.forEachRange(Self.words(for: count), grain: Self.grain) { range in
      for word in range {
        let first = word &* MaskWord.width
        body(word, first, count &- first < MaskWord.width ? count &- first : MaskWord.width)
      }
    }
  }

  /// Bit i = 1 exactly where element i is greater than `threshold`.
  func fill(thresholding elements: UnsafePointer<Real>, above threshold: Real) {
    forEachWord { word, first, present in
      words[word] =
        present == MaskWord.width
        ? MaskWord(thresholding: elements + first, above: threshold)
        : MaskWord(thresholding: elements + first, count: present, above: threshold)
    }
  }

  /// y = x where the bit is 1, +0 where it is 0.
  func apply(to x: UnsafePointer<Real>, into y: UnsafeMutablePointer<Real>) {
    forEachWord { word, first, present in
      let bits = words[word]
      let (x, y) = (x + first, y + first)
      forEachLanes(present) { store(bits.selecting(load(x + $0, $1), from: $0), y + $0, $1) }
    }
  }

  /// y = 1 where the bit is 1, 0 where it is 0.
  func expand(into y: UnsafeMutablePointer<Real>) {
    let ones = Lanes(repeating: 1)
    forEachWord { word, first, present in
      let (bits, y) = (words[word], y + first)
      forEachLanes(present) { store(bits.selecting(ones, from: $0), y + $0, $1) }
    }
  }
}
