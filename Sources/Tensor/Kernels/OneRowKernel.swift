/// One row times a matrix: every element of B is read once, so that memory is the limit.
///
/// c[j] = fma(a[p], B[p, j], c[j]) for p = 0 … k − 1 in order, as in the micro-kernel.
struct OneRowKernel {
  /// k
  let depth: Int
  /// The elements of A, `aStep` apart.
  let a: UnsafePointer<Real>
  let aStep: Int
  let b: UnsafePointer<Real>
  /// The distance between rows of B, or between columns if these are what is consecutive.
  let bStride: Int
  let c: UnsafeMutablePointer<Real>
  /// The initial values of the sums; `nil` for zeros.
  let start: UnsafePointer<Real>?

  /// The steps by which a group of columns lags behind the one before it.
  private protocol Lag { static var steps: Int { get } }
  private enum NoLag: Lag { @inline(__always) static var steps: Int { 0 } }
  private enum SomeLag: Lag { @inline(__always) static var steps: Int { 128 } }

  /// A group of eight columns of B whose sums are in a register.
  private struct Group {
    var sums = EightColumns()
    /// The next element of its first column.
    var b: UnsafePointer<Real>
    /// Its first column, and the first whose sums are stored.
    var column = 0, first = 0
  }

  /// Columns of a B with consecutive columns, as the transpose of a weight has: at least eight.
  ///
  /// A sum takes four cycles a step. Three groups of eight columns are in flight, each transposed in registers; with
  /// four, the lines that are prefetched push each other out of the first-level cache.
  ///
  /// Where columns are a multiple of 2 KiB apart, the same elements of all of them share one or two sets of that cache,
  /// which have room for eight lines each. There the groups lag behind each other.
  ///
  /// - scratch: `space` elements.
  func addTransposed(_ columns: Range<Int>, scratch: UnsafeMutablePointer<Real>) {
    if bStride * MemoryLayout<Real>.stride % 2048 == 0 {
      addTransposed(SomeLag.self, columns, scratch)
    } else {
      addTransposed(NoLag.self, columns, scratch)
    }
  }

  /// The elements that `addTransposed` copies A to.
  var space: Int { depth &+ 2 &* SomeLag.steps }

  @inline(__always)
  private func addTransposed<L: Lag>(_: L.Type, _ columns: Range<Int>, _ scratch: UnsafeMutablePointer<Real>) {
    let (groups, whole) = ((columns.count &+ 7) / 8, depth & ~15)
    // Before the row, what a lane reads before its first group, with sums that are dropped: the end of the row.
    let before = 2 &* L.steps
    let row = scratch + before
    for p in 0..<whole { row[p] = a[p &* aStep] }
    for p in 0..<before { scratch[p] = row[whole &- before &+ p] }
    func group(_ index: Int) -> Group {
      let first = columns.lowerBound &+ 8 &* min(index, groups &- 1)
      let column = min(first, columns.upperBound &- 8)
      return Group(b: b + column &* bStride, column: column, first: first)
    }
    var lanes = (group(0), group(1), group(2))
    lanes.1.b += whole &- L.steps
    lanes.2.b += whole &- 2 &* L.steps
    for index in 0..<groups &+ 3 {
      let lane = index % 3
      // Ends a group of a lane and begins the next.
      @inline(__always)
      func change(_ lane: inout Group) {
        if index >= 3 { end(lane, whole) }
        lane = group(index)
        if let start { lane.sums = EightColumns(loading: start + lane.column) }
      }
      switch lane {
      case 0: change(&lanes.0)
      case 1: change(&lanes.1)
      default: change(&lanes.2)
      }
      if index == groups &+ 2 { break }
      add(L.self, &lanes, row + lane &* L.steps, lane == 2 ? whole &- before : L.steps)
    }
  }

  /// Steps of the three lanes: `row` is where the first of them is, `count` a multiple of sixteen.
  @inline(__always)
  private func add<L: Lag>(
    _: L.Type, _ lanes: inout (Group, Group, Group), _ row: UnsafePointer<Real>, _ count: Int
  ) {
    let offsets = RowOffsets(stride: bStride)
    // A minimum that never applies. With plain pointers the compiler would keep one to each of the 24 columns, most of
    // them in memory.
    let limit = UnsafePointer<Real>(bitPattern: UInt.max & ~63)!
    var (s0, s1, s2) = (lanes.0.sums, lanes.1.sums, lanes.2.sums)
    var (b0, b1, b2) = (lanes.0.b, lanes.1.b, lanes.2.b)
    var row = row
    let end = row + count
    while row < end {
      // The line after the next of all columns, those of two columns of a group at a time.
      var ahead = 32
      let stop = min(row + 16, end)
      repeat {
        prefetchTwo(b0 + ahead)
        prefetchTwo(b1 + ahead)
        prefetchTwo(b2 + ahead)
        ahead &+= 2 &* bStride
        s0.addFour(row, b0, offsets)
        s1.addFour(row - L.steps, b1, offsets)
        s2.addFour(row - 2 &* L.steps, b2, offsets)
        (b0, b1, b2) = (min(b0 + 4, limit), min(b1 + 4, limit), min(b2 + 4, limit))
        row += 4
      } while row < stop
    }
    (lanes.0.sums, lanes.1.sums, lanes.2.sums) = (s0, s1, s2)
    (lanes.0.b, lanes.1.b, lanes.2.b) = (b0, b1, b2)
  }

  @inline(__always)
  private func prefetchTwo(_ from: UnsafePointer<Real>) {
    prefetch(from)
    prefetch(from + bStride)
  }

  /// The last steps of a group, and its sums to C.
  private func end(_ group: Group, _ whole: Int) {
    var group = group
    let offsets = RowOffsets(stride: bStride)
    for p in whole..<depth {
      group.sums.fma(a[p &* aStep], EightColumns(x: offsets.column(group.b + (p &- whole))))
    }
    if group.first == group.column { return group.sums.store(to: c + group.column) }
    for i in group.first &- group.column..<8 { c[group.column &+ i] = group.sums.x[i] }
  }

  /// Columns of a B with consecutive rows, at least as many as a register holds: eight rows at a time are added to C,
  /// so that memory is read in eight long runs.
  func addLines(_ columns: Range<Int>) {
    // What is added to in the first-level cache.
    let piece = 2048
    let whole = columns.lowerBound..<columns.upperBound &- columns.count % Register.scalarCount
    addLastLine(whole.upperBound..<columns.upperBound)
    for first in stride(from: whole.lowerBound, to: whole.upperBound, by: piece) {
      let columns = first..<min(first &+ piece, whole.upperBound)
      let c = c + first
      if let start {
        if start != UnsafePointer(self.c) { c.update(from: start + first, count: columns.count) }
      } else {
        c.update(repeating: 0, count: columns.count)
      }
      let eights = depth & ~7
      for p in stride(from: 0, to: eights, by: 8) { addEightLines(p, columns) }
      for p in eights..<depth { addLine(p, columns) }
    }
  }

  /// The columns after the last whole register, in one that ends with them.
  private func addLastLine(_ columns: Range<Int>) {
    guard !columns.isEmpty else { return }
    let first = columns.upperBound &- Register.scalarCount
    var sums = start.map { Line1(loading: $0 + first) } ?? Line1()
    for p in 0..<depth { sums.fma(a[p &* aStep], Line1(loading: b + (p &* bStride &+ first))) }
    for column in columns { c[column] = sums.x0[column &- first] }
  }

  @inline(__always)
  private func addEightLines(_ p: Int, _ columns: Range<Int>) {
    let offsets = RowOffsets(stride: bStride)
    let a = a + p &* aStep
    let (a0, a1, a2, a3) = (a[0], a[aStep], a[2 &* aStep], a[3 &* aStep])
    let (a4, a5, a6, a7) = (a[4 &* aStep], a[5 &* aStep], a[6 &* aStep], a[7 &* aStep])
    var line = b + (p &* bStride &+ columns.lowerBound)
    var c = c + columns.lowerBound
    let end = c + columns.count
    while c < end {
      var sums = Line1(loading: c)
      sums.fma(a0, offsets.line(0, line))
      sums.fma(a1, offsets.line(1, line))
      sums.fma(a2, offsets.line(2, line))
      sums.fma(a3, offsets.line(3, line))
      sums.fma(a4, offsets.line(4, line))
      sums.fma(a5, offsets.line(5, line))
      sums.fma(a6, offsets.line(6, line))
      sums.fma(a7, offsets.line(7, line))
      sums.store(to: c)
      line += Register.scalarCount
      c += Register.scalarCount
    }
  }

  @inline(__always)
  private func addLine(_ p: Int, _ columns: Range<Int>) {
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: Register.scalarCount) {
      var sums = Line1(loading: c + column)
      sums.fma(a[p &* aStep], Line1(loading: b + (p &* bStride &+ column)))
      sums.store(to: c + column)
    }
  }
}

extension RowOffsets {
  /// A register of a row.
  @inline(__always)
  fileprivate func line(_ row: Int, _ from: UnsafePointer<Real>) -> Line1 { Line1(loading: pointer(row, from)) }
}

extension EightColumns {
  /// Four steps of p: elements of A that are neighbours, and as many of eight columns of B.
  @inline(__always)
  mutating func addFour(_ a: UnsafePointer<Real>, _ b: UnsafePointer<Real>, _ rows: RowOffsets) {
    let columns = FourColumns(b, rows).columns
    fma(a[0], EightColumns(x: columns.0))
    fma(a[1], EightColumns(x: columns.1))
    fma(a[2], EightColumns(x: columns.2))
    fma(a[3], EightColumns(x: columns.3))
  }
}
