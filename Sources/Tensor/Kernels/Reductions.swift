// Sums whose order is part of the definition: sixteen lanes and `Lanes.total` along a row, plain order across rows, and
// double precision from block to block of both, so that the error does not grow with the length (docs/numerics.md).
//
// A chain of n additions is off by up to (n − 1) u Σ|x|, with u the unit roundoff. Here no element takes part in more
// than 64 additions of its lane and 4 of the tree in `Real`; those in double precision are 2²⁹ times finer. The error
// stays below some 68 u Σ|x| for any length, and is the same for any vector width, thread count and block size, as none
// of these decides which elements meet in which addition. Sixteen independent chains also hide an addition's latency.

/// Elements that a lane, along a row, or a column sums in `Real` before they join the others in double precision.
private let plainAdditions = 64

/// The sum over `lanes(i)` for the consecutive groups of sixteen below `count`; the last group may be shorter, and
/// its absent elements must contribute zero.
@inline(__always)
package func rowSum(_ count: Int, _ lanes: (_ index: Int, _ present: Int) -> Lanes) -> Real {
  Real(blockSum(0..<count, lanes))
}

/// Σ_i a_i b_i along a row.
///
/// A named function that is inlined: a closure of two loads would be called for every sixteen products.
func rowDot(_ a: UnsafePointer<Real>, _ b: UnsafePointer<Real>, _ count: Int) -> Real {
  @inline(__always)
  func product(_ index: Int, _ present: Int) -> Lanes { load(a + index, present) * load(b + index, present) }
  return rowSum(count, product)
}

/// `rowSum` before it is rounded: blocks of 1024 elements, each in sixteen lanes, added in double precision.
@inline(__always)
private func blockSum(_ range: Range<Int>, _ lanes: (_ index: Int, _ present: Int) -> Lanes) -> Double {
  var (total, index) = (0.0, range.lowerBound)
  while index < range.upperBound {
    let end = min(index &+ 16 &* plainAdditions, range.upperBound)
    var sum = Lanes.zero
    while index &+ 16 <= end {
      sum += lanes(index, 16)
      index &+= 16
    }
    if index < end {
      sum += lanes(index, end &- index)
      index = end
    }
    total += Double(sum.total)
  }
  return total
}

/// Sixteen elements, or the `present` < 16 that exist and zeros.
@inline(__always)
package func load(_ pointer: UnsafePointer<Real>, _ present: Int) -> Lanes {
  present == 16 ? Lanes(loading: pointer) : Lanes(loading: pointer, count: present)
}

/// Writes sixteen elements, or the `present` < 16 that exist.
@inline(__always)
func store(_ lanes: Lanes, _ pointer: UnsafeMutablePointer<Real>, _ present: Int) {
  if present == 16 { lanes.store(to: pointer) } else { lanes.store(to: pointer, count: present) }
}

/// Calls `body` for the consecutive groups of sixteen indices below `count`; the last group may be shorter.
@inline(__always)
func forEachLanes(_ count: Int, _ body: (_ index: Int, _ present: Int) -> Void) {
  var index = 0
  while index &+ 16 <= count {
    body(index, 16)
    index &+= 16
  }
  if index < count { body(index, count &- index) }
}

/// Calls `body` for every row below `rows`, in parallel pieces of about 16 thousand elements.
@inline(__always)
func forEachRow(_ rows: Int, width: Int, _ body: (Int) -> Void) {
  Parallel.forEachRange(rows, grain: max(1, (1 << 14) / max(1, width))) { range in
    for row in range { body(row) }
  }
}

/// The sum over rows of a [rows, width] matrix of lanes, [width]: each column is one plain sum from the first row to
/// the last of every 64, and these are added in double precision.
@inline(__always)
package func sumOverRows(_ rows: Int, width: Int, _ lanes: (_ row: Int, _ column: Int, _ present: Int) -> Lanes)
  -> Tensor
{
  Tensor([width]) { sumOverRows(rows, width: width, into: $0, lanes) }
}

/// The same, written to `sums`.
@inline(__always)
package func sumOverRows(
  _ rows: Int, width: Int, into sums: UnsafeMutablePointer<Real>,
  _ lanes: (_ row: Int, _ column: Int, _ present: Int) -> Lanes
) {
  Parallel.forEachRange(width, grain: 64) { columns in
    forEachLanes(columns.count) { offset, present in
      let column = columns.lowerBound &+ offset
      var (total, row) = (SIMD16<Double>.zero, 0)
      while row < rows {
        let end = min(row &+ plainAdditions, rows)
        var sum = Lanes.zero
        while row < end {
          sum += lanes(row, column, present)
          row &+= 1
        }
        total += SIMD16<Double>(sum)
      }
      store(Lanes(total), sums + column, present)
    }
  }
}

/// The sum of `lanes` over `count` elements in double precision: that of `rowSum`, in parallel pieces of 16 blocks.
@inline(__always)
package func longSum(_ count: Int, _ lanes: (_ index: Int, _ present: Int) -> Lanes) -> Double {
  let piece = 1 << 14
  var partial = [Double](repeating: 0, count: (count + piece - 1) / piece)
  partial.withUnsafeMutableBufferPointer { partial in
    guard let partial = partial.baseAddress else { return }
    Parallel.forEachRange(count, grain: piece) { partial[$0.lowerBound / piece] = blockSum($0, lanes) }
  }
  return partial.reduce(0, +)
}

/// Σ_i a_i b_i over `count` elements, as `longSum`.
func longDot(_ a: UnsafePointer<Real>, _ b: UnsafePointer<Real>, _ count: Int) -> Double {
  @inline(__always)
  func product(_ index: Int, _ present: Int) -> Lanes { load(a + index, present) * load(b + index, present) }
  return longSum(count, product)
}
