// Sums whose order is part of the definition: sixteen lanes and `Lanes.total` along a row, plain order across rows.

/// The sum over `lanes(i)` for the consecutive groups of sixteen below `count`; the last group may be shorter, and
/// its absent numbers must contribute zero.
@inline(__always)
func rowSum(_ count: Int, _ lanes: (_ index: Int, _ present: Int) -> Lanes) -> Real {
  var sum = Lanes.zero
  var index = 0
  while index &+ 16 <= count {
    sum += lanes(index, 16)
    index &+= 16
  }
  if index < count { sum += lanes(index, count &- index) }
  return sum.total
}

/// Sixteen numbers, or the `present` < 16 that exist and zeros.
@inline(__always)
func load(_ pointer: UnsafePointer<Real>, _ present: Int) -> Lanes {
  present == 16 ? Lanes(loading: pointer) : Lanes(loading: pointer, count: present)
}

/// Writes sixteen numbers, or the `present` < 16 that exist.
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

/// Calls `body` for every row below `rows`, in parallel pieces of about 16 thousand numbers.
@inline(__always)
func forEachRow(_ rows: Int, width: Int, _ body: (Int) -> Void) {
  Parallel.forEachRange(rows, grain: max(1, (1 << 14) / max(1, width))) { range in
    for row in range { body(row) }
  }
}

/// The sum over rows of a [rows, width] matrix of lanes, [width]: each column is one plain sum from the first row to the
/// last.
@inline(__always)
func sumOverRows(_ rows: Int, width: Int, _ lanes: (_ row: Int, _ column: Int, _ present: Int) -> Lanes) -> Tensor {
  Tensor([width]) { sums in
    Parallel.forEachRange(width, grain: 64) { columns in
      forEachLanes(columns.count) { offset, present in
        let column = columns.lowerBound &+ offset
        var sum = Lanes.zero
        for row in 0..<rows { sum += lanes(row, column, present) }
        store(sum, sums + column, present)
      }
    }
  }
}

/// The sum of `lanes` over `count` numbers in double precision across blocks of 4096: exact enough for millions of them.
@inline(__always)
func longSum(_ count: Int, _ lanes: (_ index: Int, _ present: Int) -> Lanes) -> Double {
  let block = 4096
  let blocks = (count + block - 1) / block
  var partial = [Double](repeating: 0, count: blocks)
  partial.withUnsafeMutableBufferPointer { partial in
    guard let partial = partial.baseAddress else { return }
    Parallel.forEachRange(count, grain: block) { range in
      partial[range.lowerBound / block] = Double(rowSum(range.count) { lanes(range.lowerBound &+ $0, $1) })
    }
  }
  return partial.reduce(0, +)
}
