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
  /// True if B comes from beyond the second-level cache.
  let isFar: Bool
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
  if tile.isFar { farKernel(tile) } else { microKernel(Near.self, tile) }
}

/// Not inlined: the usual code stays as short as without it.
@inline(never)
private func farKernel(_ tile: TileStep) { microKernel(Far.self, tile) }

/// The prefetch distance for lines of B in steps of p: a constant, as the loop has no register for it.
private protocol Reach { static var steps: Int { get } }

/// The second-level cache, from which a load takes one or two steps.
private enum Near: Reach { @inline(__always) static var steps: Int { 4 } }

/// The third level, or memory.
private enum Far: Reach { @inline(__always) static var steps: Int { 16 } }

@inline(__always)
private func microKernel<R: Reach>(_: R.Type, _ tile: TileStep) {
  #if WIDE_TILE
    if tile.columns > 3 * Register.scalarCount { return dispatch(R.self, Line4.self, tile) }
    if tile.columns > 2 * Register.scalarCount { return dispatch(R.self, Line3.self, tile) }
  #endif
  if tile.columns > Register.scalarCount {
    dispatch(R.self, Line2.self, tile)
  } else {
    dispatch(R.self, Line1.self, tile)
  }
}

@inline(__always)
private func dispatch<R: Reach, L: Line>(_: R.Type, _: L.Type, _ tile: TileStep) {
  #if arch(arm64) || ARM64_TILE
    if tile.rows == 12 { return run(R.self, Stack<Rows6<L>, Rows6<L>>.self, tile) }
    if tile.rows > 6 { runSix(R.self, L.self, tile.below(6)) }
  #endif
  runSix(R.self, L.self, tile)
}

/// The first six rows of a tile, or all of fewer.
@inline(__always)
private func runSix<R: Reach, L: Line>(_: R.Type, _: L.Type, _ tile: TileStep) {
  switch tile.rows {
  case ...1: run(R.self, OneRow<L>.self, tile)
  case 2: run(R.self, Rows2<L>.self, tile)
  case 3: run(R.self, Rows3<L>.self, tile)
  case 4: run(R.self, Rows4<L>.self, tile)
  case 5: run(R.self, Rows5<L>.self, tile)
  default: run(R.self, Rows6<L>.self, tile)
  }
}

/// The loop over p with the whole tile in registers.
///
/// C is prefetched now, to be written at the end, and B and the panel of A during the loop: they come from the
/// second-level cache.
@inline(__always)
private func run<R: Reach, B: Block>(_: R.Type, _: B.Type, _ step: TileStep) {
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
      B.LineType.prefetch(b + R.steps &* bStep) { prefetch($0) }
      prefetch(a + 64)
      tile.fma(a, 1, B.LineType(loading: b))
      a += aStep
      b += bStep
      p &-= 1
    }
  } else {
    while p > 0 {
      B.LineType.prefetch(b + R.steps &* bStep) { prefetch($0) }
      tile.fma(a, aRow, B.LineType(loading: b))
      a += aStep
      b += bStep
      p &-= 1
    }
  }
  tile.store(to: step.c, stride: step.cStride)
}
