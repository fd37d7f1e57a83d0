import Synchronization

/// The largest elements of several tensors in descending order, in linear time (SPT (d)).
///
/// Anything not above zero, including NaN, counts as 0. Equal elements keep the order
/// of the tensors and of their elements.
public struct Ranking: Sendable {
  /// The tensor index of each rank.
  public let tensors: [UInt16]
  /// The element index of each rank in its tensor.
  public let positions: [Int32]

  /// The number of ranks.
  public var count: Int { tensors.count }

  /// A ranking by its parts; traps if there are more of one than of the other.
  package init(tensors: [UInt16], positions: [Int32]) {
    require(
      tensors.count == positions.count, "Ranking: expected \(tensors.count) positions, found \(positions.count)")
    (self.tensors, self.positions) = (tensors, positions)
  }

  /// The `count` largest elements of all tensors; traps if there are fewer.
  ///
  /// Elements that cannot be among the largest are excluded digit by digit from the top, as in `TopK`; the rest is
  /// sorted digit by digit from the bottom (radix sort), which keeps the order of equal elements.
  public init(of all: [Tensor], largest count: Int) {
    let total = all.reduce(0) { $0 + $1.count }
    require(
      0...total ~= count && all.count <= Int(UInt16.max) && all.allSatisfy { $0.count <= Int(Int32.max) },
      "Ranking: expected at most \(total) ranks of at most \(UInt16.max) tensors, found \(count) of \(all.count)")
    guard count > 0 else {
      (tensors, positions) = ([], [])
      return
    }
    var entries = Self.candidates(all, count)
    entries.sort()
    var (tensors, positions) = ([UInt16](), [Int32]())
    tensors.reserveCapacity(count)
    positions.reserveCapacity(count)
    for entry in entries.list.prefix(count) {
      tensors.append(entry.tensor)
      positions.append(entry.position)
    }
    (self.tensors, self.positions) = (tensors, positions)
  }

  /// All elements at or above the cut-off, and few below it, in the order of the tensors.
  private static func candidates(_ all: [Tensor], _ count: Int) -> Entries {
    let (border, ties) = TopK.border(all, count, tolerating: count)
    let lowest = ties == nil ? border : border + 1
    var entries = Entries()
    let piece = 1 << 18
    for (tensor, values) in all.enumerated() {
      let pieces = (values.count + piece - 1) / piece
      let found = Mutex([[Entry]](repeating: [], count: pieces))
      Tensor.read(values) { x in
        Parallel.forEachRange(values.count, grain: piece) { range in
          var own: [Entry] = []
          for index in range {
            let key = TopK.key(x[index])
            if key >= lowest { own.append(Entry(key: key, position: Int32(index), tensor: UInt16(tensor))) }
          }
          found.withLock { $0[range.lowerBound / piece] = own }
        }
      }
      for own in found.withLock({ $0 }) { entries.list += own }
    }
    entries.addTies(all, border, ties ?? 0)
    return entries
  }

  private struct Entry {
    let key: TopK.Key
    let position: Int32
    let tensor: UInt16
  }

  /// Elements being sorted.
  private struct Entries {
    var list: [Entry] = []

    /// Adds the first `rest` numbers with a key: they may be a few of very many, zeros above all.
    mutating func addTies(_ all: [Tensor], _ key: TopK.Key, _ rest: Int) {
      var rest = rest
      for (tensor, values) in all.enumerated() where rest > 0 {
        Tensor.read(values) { x in
          for index in 0..<values.count where rest > 0 && TopK.key(x[index]) == key {
            list.append(Entry(key: key, position: Int32(index), tensor: UInt16(tensor)))
            rest -= 1
          }
        }
      }
    }

    /// Sorts by descending key; equal keys keep their order.
    mutating func sort() {
      var shift: TopK.Key = 0
      while shift < TopK.Key(TopK.Key.bitWidth) {
        sort(at: shift)
        shift += 11
      }
    }

    private mutating func sort(at shift: TopK.Key) {
      let size = 1 << 11
      @inline(__always) func digit(_ entry: Entry) -> Int {
        size &- 1 &- Int(truncatingIfNeeded: (entry.key &>> shift) & TopK.Key(size &- 1))
      }
      var starts = [Int](repeating: 0, count: size)
      for entry in list { starts[digit(entry)] &+= 1 }
      // All in one digit: in order already.
      if starts.contains(list.count) { return }
      var sum = 0
      for index in 0..<size { (starts[index], sum) = (sum, sum + starts[index]) }
      let old = list
      list.withUnsafeMutableBufferPointer { list in
        starts.withUnsafeMutableBufferPointer { starts in
          for entry in old {
            list[starts[digit(entry)]] = entry
            starts[digit(entry)] &+= 1
          }
        }
      }
    }
  }
}
