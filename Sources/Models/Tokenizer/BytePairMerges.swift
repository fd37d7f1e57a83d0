/// Byte-pair encoding (Sennrich et al. 2016): of all neighbours the pair ranked first is joined, wherever it occurs,
/// until no neighbours can be joined.
struct BytePairMerges: Sendable {
  struct Merge {
    let left: Int32
    let right: Int32
    let joined: Int32
  }

  static let noRank = Int32.max

  /// Pairs sorted by (left, right): those of `left` are at `starts[left]..<starts[left + 1]`. Sorted lists and not a
  /// hash table, so that no choice of ids in a vocabulary file makes lookups slow.
  private let starts: [Int32]
  private let rights: [Int32]
  private let ranks: [Int32]
  /// The id of each merge, by rank.
  private let joined: [Int32]

  /// - merges: in order of rank; ids in 0..<tokenCount, no pair twice.
  init(_ merges: [Merge], tokenCount: Int) {
    let order = merges.indices.sorted { (merges[$0].left, merges[$0].right) < (merges[$1].left, merges[$1].right) }
    var starts = [Int32](repeating: 0, count: tokenCount + 1)
    for merge in merges { starts[Int(merge.left) + 1] += 1 }
    for index in 0..<tokenCount { starts[index + 1] += starts[index] }
    self.starts = starts
    rights = order.map { merges[$0].right }
    ranks = order.map { Int32($0) }
    joined = merges.map(\.joined)
  }

  private func rank(_ left: Int32, _ right: Int32) -> Int32 {
    var low = Int(starts[Int(left)])
    var high = Int(starts[Int(left) + 1])
    while low < high {
      let middle = (low &+ high) >> 1
      if rights[middle] < right { low = middle &+ 1 } else { high = middle }
    }
    return low < Int(starts[Int(left) + 1]) && rights[low] == right ? ranks[low] : Self.noRank
  }

  /// Replaces `symbols`, the ids of a word's bytes, by the ids of its tokens.
  func merge(_ symbols: inout [Int32]) {
    // Rounds over the whole word cost n² but no bookkeeping: faster for words of usual length.
    if symbols.count <= 64 { mergeInRounds(&symbols) } else { mergeWithQueue(&symbols) }
  }

  /// The definition, round by round. O(n²).
  func mergeInRounds(_ symbols: inout [Int32]) {
    var count = symbols.count
    guard count > 1 else { return }
    // The rank of each symbol with its right neighbour; `fresh` marks a symbol made in this round.
    let fresh: Int32 = -1
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { pairs in
      for index in 0..<(count - 1) { pairs.initializeElement(at: index, to: rank(symbols[index], symbols[index + 1])) }
      pairs.initializeElement(at: count - 1, to: Self.noRank)
      while count > 1 {
        var best = Self.noRank
        for index in 0..<(count - 1) { best = min(best, pairs[index]) }
        guard best != Self.noRank else { break }
        var read = 0
        var write = 0
        while read < count {
          if pairs[read] == best {
            symbols[write] = joined[Int(best)]
            pairs[write] = fresh
            read += 2
          } else {
            symbols[write] = symbols[read]
            pairs[write] = pairs[read]
            read += 1
          }
          write += 1
        }
        count = write
        for index in 0..<(count - 1) where pairs[index] == fresh || pairs[index + 1] == fresh {
          pairs[index] = rank(symbols[index], symbols[index + 1])
        }
        pairs[count - 1] = Self.noRank
      }
    }
    symbols.removeLast(symbols.count - count)
  }

  /// The same result by a queue of pairs ordered by rank, then position. O(n log n).
  func mergeWithQueue(_ symbols: inout [Int32]) {
    let count = symbols.count
    let removed: Int32 = -1
    var previous = (0..<count).map { $0 - 1 }
    var following = (0..<count).map { $0 + 1 }
    var queue = PairQueue()
    for index in 0..<max(count - 1, 0) {
      let rank = rank(symbols[index], symbols[index + 1])
      if rank != Self.noRank { queue.insert(rank: rank, position: index) }
    }
    // Pairs formed in a round wait for its end, even those ranked before it.
    var born: [Int] = []
    while let (best, position) = queue.first {
      queue.removeFirst()
      let right = following[position]
      if symbols[position] != removed, right < count, rank(symbols[position], symbols[right]) == best {
        symbols[position] = joined[Int(best)]
        symbols[right] = removed
        following[position] = following[right]
        if following[position] < count { previous[following[position]] = position }
        if previous[position] >= 0 { born.append(previous[position]) }
        born.append(position)
      }
      guard queue.first?.rank != best else { continue }
      for position in born where symbols[position] != removed && following[position] < count {
        let rank = rank(symbols[position], symbols[following[position]])
        if rank != Self.noRank { queue.insert(rank: rank, position: position) }
      }
      born.removeAll(keepingCapacity: true)
    }
    symbols.removeAll { $0 == removed }
  }
}

/// Pairs by rank, then position, least first.
private struct PairQueue {
  private var keys = BinaryHeap<UInt64>()

  var first: (rank: Int32, position: Int)? {
    keys.first.map { (Int32(truncatingIfNeeded: $0 >> 32), Int($0 & 0xFFFF_FFFF)) }
  }

  mutating func insert(rank: Int32, position: Int) { keys.insert(UInt64(rank) << 32 | UInt64(position)) }

  mutating func removeFirst() { keys.removeFirst() }
}
