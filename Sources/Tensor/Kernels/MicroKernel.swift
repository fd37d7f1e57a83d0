// The only code shaped by registers: a tile of C that stays in them while p runs.
//
// A tile is `Tile.rows` lines of some vector registers. For every p it needs one line of B and one element of A per
// row:
//
//   target            register   tile      accumulators + line of B + broadcast, of registers
//   AVX-512           16 Float   6 × 64    24 + 4 + 1 of 32
//   AVX2              8          6 × 16    12 + 2 + 1 of 16
//   other x86-64      4          6 × 8     12 + 2 + 1 of 16
//   arm64             4          12 × 8    24 + 2 + 3 of 32 (elements of A are loaded four at a time)
//
// `TILE=arm64` gives other processors the last one, so that its code is tested there, too: slower, with the same bits.
//
// A broadcast serves as many multiply-adds as a line has registers. A tile nearer to a square, 14 × 32 or 8 × 48, reads
// less a step, but takes more instructions, which limit a core under load first; and 64 divides the widths of heads and
// layers. `Double` has half as many elements per register. A tile is built by stacking rows as values of nested
// structs, which the compiler takes apart into registers; the same tile as an array of vectors goes through memory.

#if WIDE_TILE && !REAL64
  package typealias Register = SIMD16<Real>
#elseif WIDE_TILE || (AVX2_TILE && !REAL64)
  package typealias Register = SIMD8<Real>
#elseif AVX2_TILE || !REAL64
  package typealias Register = SIMD4<Real>
#else
  package typealias Register = SIMD2<Real>
#endif

/// The extents of the tile of C held in registers: MR × NR in the literature.
package enum Tile {
  #if arch(arm64) || ARM64_TILE
    @inline(__always) package static var rows: Int { 12 }
  #else
    @inline(__always) package static var rows: Int { 6 }
  #endif
  #if WIDE_TILE
    @inline(__always) package static var columns: Int { 4 * Register.scalarCount }
  #else
    @inline(__always) package static var columns: Int { 2 * Register.scalarCount }
  #endif
}

/// The micro-kernel: C[i, j] = fma(A[i, p], B[p, j], C[i, j]) for p = 0 … k − 1 in order, over one tile.
struct TileStep {
  /// `rows` ≤ Tile.rows, `columns` ≤ Tile.columns. Columns are computed and written to C up to a whole register: those
  /// at the edge of a matrix go through a copy.
  var rows: Int
  let columns, k: Int
  /// The elements of A: rows `aRow` apart, columns `aStep`.
  var a: UnsafePointer<Real>
  let aRow, aStep: Int
  /// A line of B every `bStep` elements, at least the columns rounded up to whole registers.
  let b: UnsafePointer<Real>
  let bStep: Int
  /// Rows `cStride` apart, as long as B's lines; it overlaps neither A nor B.
  var c: UnsafeMutablePointer<Real>
  var cStride: Int
  /// The initial values of the sums, rows `stride` apart; `nil` for zeros.
  var start: (base: UnsafePointer<Real>, stride: Int)?

  /// The rows from `count` on.
  func below(_ count: Int) -> TileStep {
    var rest = self
    rest.rows -= count
    rest.a += count &* aRow
    rest.c += count &* cStride
    rest.start = start.map { ($0.base + count &* $0.stride, $0.stride) }
    return rest
  }
}

/// Runs one tile.
func microKernel(_ tile: TileStep) {
  #if WIDE_TILE
    if tile.columns > 3 * Register.scalarCount { return dispatch(Line4.self, tile) }
    if tile.columns > 2 * Register.scalarCount { return dispatch(Line3.self, tile) }
  #endif
  if tile.columns > Register.scalarCount {
    dispatch(Line2.self, tile)
  } else {
    dispatch(Line1.self, tile)
  }
}

@inline(__always)
private func dispatch<L: Line>(_: L.Type, _ tile: TileStep) {
  #if arch(arm64) || ARM64_TILE
    if tile.rows == 12 { return run(Stack<Rows6<L>, Rows6<L>>.self, tile) }
    if tile.rows > 6 { runSix(L.self, tile.below(6)) }
  #endif
  runSix(L.self, tile)
}

/// The first six rows of a tile, or all of fewer.
@inline(__always)
private func runSix<L: Line>(_: L.Type, _ tile: TileStep) {
  switch tile.rows {
  case ...1: run(OneRow<L>.self, tile)
  case 2: run(Rows2<L>.self, tile)
  case 3: run(Rows3<L>.self, tile)
  case 4: run(Rows4<L>.self, tile)
  case 5: run(Rows5<L>.self, tile)
  default: run(Rows6<L>.self, tile)
  }
}

/// The prefetch distance for lines of B in steps of p: a load from the second-level cache takes one or two.
private var ahead: Int { 4 }

/// The loop over p with the whole tile in registers.
///
/// C is prefetched now, to be written at the end, and B and the panel of A during the loop: they come from the
/// second-level cache.
@inline(__always)
private func run<B: Block>(_: B.Type, _ step: TileStep) {
  var tile = step.start.map { B(loading: $0.base, stride: $0.stride) } ?? B()
  var (a, b) = (step.a, step.b)
  let (aRow, aStep, bStep) = (step.aRow, step.aStep, step.bStep)
  var p = step.k
  for row in 0..<B.rows {
    B.LineType.prefetch(step.c + row &* step.cStride) { prefetch(toWrite: $0) }
  }
  // The same loop twice: offsets of adjacent rows are encoded in the instructions, others need a register each. Two
  // steps per iteration would save counting, but the compiler then interleaves the steps, and an accumulator waits for
  // itself.
  if aRow == 1 {
    while p > 0 {
      B.LineType.prefetch(b + ahead &* bStep) { prefetch($0) }
      prefetch(a + 64)
      tile.fma(a, 1, B.LineType(loading: b))
      a += aStep
      b += bStep
      p &-= 1
    }
  } else {
    while p > 0 {
      B.LineType.prefetch(b + ahead &* bStep) { prefetch($0) }
      tile.fma(a, aRow, B.LineType(loading: b))
      a += aStep
      b += bStep
      p &-= 1
    }
  }
  tile.store(to: step.c, stride: step.cStride)
}

/// One row of a tile: a few registers side by side.
protocol Line {
  static var registers: Int { get }
  init()
  init(loading pointer: UnsafePointer<Real>)
  func store(to pointer: UnsafeMutablePointer<Real>)
  /// self + a · b, the whole line at once.
  mutating func fma(_ a: Real, _ b: Self)
}

extension Line {
  /// Prefetches the memory of a line, once for every 64 bytes.
  @inline(__always)
  static func prefetch(_ pointer: UnsafePointer<Real>, _ ask: (UnsafePointer<Real>) -> Void) {
    let numbers = 64 / MemoryLayout<Real>.stride
    for part in 0..<max(1, registers &* Register.scalarCount / numbers) { ask(pointer + part &* numbers) }
  }
}

struct Line1: Line {
  var x0 = Register()

  @inline(__always) static var registers: Int { 1 }

  @inline(__always) init() {}

  @inline(__always)
  init(loading pointer: UnsafePointer<Real>) {
    x0 = UnsafeRawPointer(pointer).loadUnaligned(as: Register.self)
  }

  @inline(__always)
  func store(to pointer: UnsafeMutablePointer<Real>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: x0, as: Register.self)
  }

  @inline(__always)
  mutating func fma(_ a: Real, _ b: Line1) {
    #if NO_FMA
      x0 += a * b.x0
    #else
      x0.addProduct(a, b.x0)
    #endif
  }
}

/// Two lines side by side.
struct Pair<Left: Line, Right: Line>: Line {
  var left = Left()
  var right = Right()

  @inline(__always) static var registers: Int { Left.registers &+ Right.registers }

  @inline(__always) init() {}

  @inline(__always)
  init(loading pointer: UnsafePointer<Real>) {
    left = Left(loading: pointer)
    right = Right(loading: pointer + Left.registers &* Register.scalarCount)
  }

  @inline(__always)
  func store(to pointer: UnsafeMutablePointer<Real>) {
    left.store(to: pointer)
    right.store(to: pointer + Left.registers &* Register.scalarCount)
  }

  @inline(__always)
  mutating func fma(_ a: Real, _ b: Self) {
    left.fma(a, b.left)
    right.fma(a, b.right)
  }
}

typealias Line2 = Pair<Line1, Line1>
typealias Line3 = Pair<Line2, Line1>
typealias Line4 = Pair<Line2, Line2>

/// Rows of a tile, one below the other.
protocol Block {
  associatedtype LineType: Line
  static var rows: Int { get }
  init()
  init(loading c: UnsafePointer<Real>, stride: Int)
  func store(to c: UnsafeMutablePointer<Real>, stride: Int)
  /// Row i of self + a[i · stride] · b.
  mutating func fma(_ a: UnsafePointer<Real>, _ stride: Int, _ b: LineType)
}

struct OneRow<LineType: Line>: Block {
  var line = LineType()

  @inline(__always) package static var rows: Int { 1 }

  @inline(__always) init() {}

  @inline(__always)
  init(loading c: UnsafePointer<Real>, stride: Int) { line = LineType(loading: c) }

  @inline(__always)
  func store(to c: UnsafeMutablePointer<Real>, stride: Int) { line.store(to: c) }

  @inline(__always)
  mutating func fma(_ a: UnsafePointer<Real>, _ stride: Int, _ b: LineType) { line.fma(a.pointee, b) }
}

struct Stack<Top: Block, Bottom: Block>: Block where Top.LineType == Bottom.LineType {
  var top = Top()
  var bottom = Bottom()

  @inline(__always) package static var rows: Int { Top.rows &+ Bottom.rows }

  @inline(__always) init() {}

  @inline(__always)
  init(loading c: UnsafePointer<Real>, stride: Int) {
    top = Top(loading: c, stride: stride)
    bottom = Bottom(loading: c + Top.rows &* stride, stride: stride)
  }

  @inline(__always)
  func store(to c: UnsafeMutablePointer<Real>, stride: Int) {
    top.store(to: c, stride: stride)
    bottom.store(to: c + Top.rows &* stride, stride: stride)
  }

  @inline(__always)
  mutating func fma(_ a: UnsafePointer<Real>, _ stride: Int, _ b: Top.LineType) {
    top.fma(a, stride, b)
    bottom.fma(a + Top.rows &* stride, stride, b)
  }
}

typealias Rows2<L: Line> = Stack<OneRow<L>, OneRow<L>>
typealias Rows3<L: Line> = Stack<Rows2<L>, OneRow<L>>
typealias Rows4<L: Line> = Stack<Rows2<L>, Rows2<L>>
typealias Rows5<L: Line> = Stack<Rows4<L>, OneRow<L>>
typealias Rows6<L: Line> = Stack<Rows4<L>, Rows2<L>>
