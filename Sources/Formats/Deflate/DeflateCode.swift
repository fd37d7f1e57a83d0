/// A prefix code to write with: its lengths make it (RFC 1951, section 3.2.2).
struct DeflateCode {
  /// Bits of each symbol's word; 0 for one that is not used.
  let lengths: [UInt8]
  /// The words, first bit lowest.
  let words: [UInt16]

  /// The code with the given lengths.
  init(lengths: [UInt8]) {
    self.lengths = lengths
    var counts = [Int](repeating: 0, count: InflateTable.longestCode + 1)
    for length in lengths where length > 0 { counts[Int(length)] += 1 }
    var next = [Int](repeating: 0, count: InflateTable.longestCode + 2)
    for length in 1...InflateTable.longestCode { next[length + 1] = (next[length] + counts[length]) << 1 }
    words = lengths.map { length in
      guard length > 0 else { return 0 }
      defer { next[Int(length)] += 1 }
      return UInt16(next[Int(length)]).reversed(bits: Int(length))
    }
  }

  /// A code of words of at most `limit` bits for symbols that occur as often as `frequencies` says, the shortest
  /// (Huffman 1952) where the limit allows it.
  ///
  /// At least two symbols get a word, as zlib refuses a code that leaves words unused. Where a word would be too long,
  /// frequencies are halved until none is: they become more alike, and the tree flatter.
  init(frequencies: [Int], limit: Int) {
    var frequencies = frequencies
    var symbol = 0
    while frequencies.count(where: { $0 > 0 }) < 2 {
      if frequencies[symbol] == 0 { frequencies[symbol] = 1 }
      symbol += 1
    }
    var lengths = Self.huffmanLengths(frequencies)
    while lengths.contains(where: { $0 > limit }) {
      frequencies = frequencies.map { ($0 + 1) / 2 }
      lengths = Self.huffmanLengths(frequencies)
    }
    self.init(lengths: lengths.map(UInt8.init))
  }

  /// The depths in the tree that joins the two rarest nodes until one is left.
  ///
  /// Leaves are sorted once; joined nodes arise in order, so the rarest is always first in one of two queues.
  private static func huffmanLengths(_ frequencies: [Int]) -> [Int] {
    let leaves = frequencies.indices.filter { frequencies[$0] > 0 }.sorted {
      (frequencies[$0], $0) < (frequencies[$1], $1)
    }
    var weights = leaves.map { frequencies[$0] }
    var parents = [Int](repeating: 0, count: 2 * leaves.count - 1)
    var (leaf, joined) = (0, leaves.count)
    func rarest() -> Int {
      if leaf < leaves.count, joined == weights.count || weights[leaf] <= weights[joined] {
        defer { leaf += 1 }
        return leaf
      }
      defer { joined += 1 }
      return joined
    }
    while weights.count < parents.count {
      let (a, b) = (rarest(), rarest())
      parents[a] = weights.count
      parents[b] = weights.count
      weights.append(weights[a] + weights[b])
    }
    // The root comes last: each node's parent is deeper in the list and has its depth before it.
    var depths = [Int](repeating: 0, count: parents.count)
    for node in parents.indices.dropLast().reversed() { depths[node] = depths[parents[node]] + 1 }
    var lengths = [Int](repeating: 0, count: frequencies.count)
    for (index, symbol) in leaves.enumerated() { lengths[symbol] = depths[index] }
    return lengths
  }
}

extension UInt16 {
  /// The lowest `bits` bits in reverse.
  fileprivate func reversed(bits: Int) -> UInt16 {
    (0..<bits).reduce(0) { $0 << 1 | self >> UInt16($1) & 1 }
  }
}
