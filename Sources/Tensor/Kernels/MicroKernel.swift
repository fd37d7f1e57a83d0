// The only code shaped by registers: a tile of C that stays in them while p runs.
//
// A tile is `Tile.rows` lines of two vector registers. For every p it needs one line of B and one number of A a row:
//
//   target            register   tile      accumulators + line of B + broadcast, of registers
//   AVX-512           16 Float   14 × 32   28 + 2 + 1 of 32 (the broadcast is part of the instruction)
//   AVX2              8          6 × 16    12 + 2 + 1 of 16
//   other x86-64      4          6 × 8     12 + 2 + 1 of 16
//   arm64             4          12 × 8    24 + 2 + 3 of 32 (numbers of A come four at a time)
//
// `Double` has half as many numbers a register. A tile is built by stacking rows as values of nested structs, which the
// compiler takes apart into registers; the same tile as an array of vectors goes through memory.

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
  #if WIDE_TILE
    @inline(__always) package static var rows: Int { 14 }
  #elseif arch(arm64)
    @inline(__always) package static var rows: Int { 12 }
  #else
    @inline(__always) package static var rows: Int { 6 }
  #endif
  @inline(__always) package static var columns: Int { 2 * Register.scalarCount }
}

/// C[i, j] = fma(A[i, p], B[p, j], C[i, j]) for p = 0 … k − 1 in order, over one tile.
///
/// - a: a packed panel, [k, Tile.rows]; b: a line of B every `bStep` numbers, at least the columns rounded up to whole
///   registers; c: rows `cStride` apart, of as many numbers as b's lines. None overlap.
/// - `rows` ≤ Tile.rows, `columns` ≤ Tile.columns. More may be computed and written to C than asked for: the rows up to
///   `rowsComputed`, the columns up to a whole register. Edges of a matrix go through a tile-sized copy.
/// - `fresh`: start from 0 instead of C.
func microKernel(
  rows: Int, columns: Int, k: Int, a: UnsafePointer<Real>, b: UnsafePointer<Real>, bStep: Int,
  c: UnsafeMutablePointer<Real>, cStride: Int, fresh: Bool
) {
  if columns > Register.scalarCount {
    dispatch(Line2.self, rows, k, a, b, bStep, c, cStride, fresh)
  } else {
    dispatch(Line1.self, rows, k, a, b, bStep, c, cStride, fresh)
  }
}

/// The rows that the micro-kernel computes when asked for `rows`: a power of two, half a tile or a tile.
func rowsComputed(_ rows: Int) -> Int {
  switch rows {
  case ...1: 1
  case 2: 2
  case ...4: 4
  case ...(Tile.rows / 2): Tile.rows / 2
  default: Tile.rows
  }
}

@inline(__always)
private func dispatch<L: Line>(
  _: L.Type, _ rows: Int, _ k: Int, _ a: UnsafePointer<Real>, _ b: UnsafePointer<Real>, _ bStep: Int,
  _ c: UnsafeMutablePointer<Real>, _ cStride: Int, _ fresh: Bool
) {
  switch rows {
  case ...1: run(OneRow<L>.self, k, a, b, bStep, c, cStride, fresh)
  case 2: run(Rows2<L>.self, k, a, b, bStep, c, cStride, fresh)
  case ...4: run(Rows4<L>.self, k, a, b, bStep, c, cStride, fresh)
  #if WIDE_TILE
    case ...7: run(Rows7<L>.self, k, a, b, bStep, c, cStride, fresh)
    default: run(Stack<Rows7<L>, Rows7<L>>.self, k, a, b, bStep, c, cStride, fresh)
  #elseif arch(arm64)
    case ...6: run(Rows6<L>.self, k, a, b, bStep, c, cStride, fresh)
    default: run(Stack<Rows6<L>, Rows6<L>>.self, k, a, b, bStep, c, cStride, fresh)
  #else
    default: run(Rows6<L>.self, k, a, b, bStep, c, cStride, fresh)
  #endif
  }
}

/// The loop over p with the whole tile in registers.
@inline(__always)
private func run<B: Block>(
  _: B.Type, _ k: Int, _ a: UnsafePointer<Real>, _ b: UnsafePointer<Real>, _ bStep: Int,
  _ c: UnsafeMutablePointer<Real>, _ cStride: Int, _ fresh: Bool
) {
  var tile = fresh ? B() : B(loading: c, stride: cStride)
  var a = a
  var b = b
  var p = k
  while p > 0 {
    tile.fma(a, B.LineType(loading: b))
    a += Tile.rows
    b += bStep
    p &-= 1
  }
  tile.store(to: c, stride: cStride)
}

/// One row of a tile: a few registers side by side.
private protocol Line {
  init()
  init(loading pointer: UnsafePointer<Real>)
  func store(to pointer: UnsafeMutablePointer<Real>)
  /// self + a · b, the whole line at once.
  mutating func fma(_ a: Real, _ b: Self)
}

private struct Line1: Line {
  var x0 = Register()

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

private struct Line2: Line {
  var left = Line1()
  var right = Line1()

  @inline(__always) init() {}

  @inline(__always)
  init(loading pointer: UnsafePointer<Real>) {
    left = Line1(loading: pointer)
    right = Line1(loading: pointer + Register.scalarCount)
  }

  @inline(__always)
  func store(to pointer: UnsafeMutablePointer<Real>) {
    left.store(to: pointer)
    right.store(to: pointer + Register.scalarCount)
  }

  @inline(__always)
  mutating func fma(_ a: Real, _ b: Line2) {
    left.fma(a, b.left)
    right.fma(a, b.right)
  }
}

/// Rows of a tile, one below the other.
private protocol Block {
  associatedtype LineType: Line
  static var rows: Int { get }
  init()
  init(loading c: UnsafePointer<Real>, stride: Int)
  func store(to c: UnsafeMutablePointer<Real>, stride: Int)
  /// Row i of self + a[i] · b.
  mutating func fma(_ a: UnsafePointer<Real>, _ b: LineType)
}

private struct OneRow<LineType: Line>: Block {
  var line = LineType()

  @inline(__always) package static var rows: Int { 1 }

  @inline(__always) init() {}

  @inline(__always)
  init(loading c: UnsafePointer<Real>, stride: Int) { line = LineType(loading: c) }

  @inline(__always)
  func store(to c: UnsafeMutablePointer<Real>, stride: Int) { line.store(to: c) }

  @inline(__always)
  mutating func fma(_ a: UnsafePointer<Real>, _ b: LineType) { line.fma(a.pointee, b) }
}

private struct Stack<Top: Block, Bottom: Block>: Block where Top.LineType == Bottom.LineType {
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
  mutating func fma(_ a: UnsafePointer<Real>, _ b: Top.LineType) {
    top.fma(a, b)
    bottom.fma(a + Top.rows, b)
  }
}

private typealias Rows2<L: Line> = Stack<OneRow<L>, OneRow<L>>
private typealias Rows4<L: Line> = Stack<Rows2<L>, Rows2<L>>
private typealias Rows6<L: Line> = Stack<Rows4<L>, Rows2<L>>
private typealias Rows7<L: Line> = Stack<Rows6<L>, OneRow<L>>
