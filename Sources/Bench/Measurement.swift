import Foundation
import Tensor

/// One line of the table: a piece of work with a known amount of it, checked before it is timed.
struct Row {
  let name: String
  /// What is counted, in billions a second: GFLOP or G (numbers).
  let unit: String
  /// The amount of work of one call, in that unit's ones.
  let work: Double
  /// Whether the machine's peak of multiply-adds bounds this row.
  let hasPeak: Bool
  /// The largest error against the twin, and the twin's speed in units a second.
  let twin: (error: String, speed: Double)
  /// The threads that take part.
  let threads: Int
  /// One call.
  let run: () -> Void
}

let tileDescription = "\(Tile.rows) × \(Tile.columns)"
let buildDescription = hasFusedMultiplyAdd ? "fused multiply-add" : "no fused multiply-add"

/// Seconds that a call takes.
func seconds(_ body: () -> Void) -> Double {
  let start = DispatchTime.now().uptimeNanoseconds
  body()
  return Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
}

/// Times all rows in turns, the peak among them, and prints a line for each.
func measure(_ rows: [Row], repeats: Int) {
  var peaks: [Double] = []
  var speeds = [[Double]](repeating: [], count: rows.count)
  // Short work is repeated within one reading of the clock until it takes about 10 ms.
  let calls = rows.map { row in
    row.run()
    return max(1, Int(0.01 / seconds(row.run)))
  }
  for _ in 0..<repeats {
    peaks.append(peakOfOneCore())
    for (index, row) in rows.enumerated() {
      let time = seconds { for _ in 0..<calls[index] { row.run() } }
      speeds[index].append(Double(calls[index]) * row.work / time)
    }
  }
  let peak = Spread(peaks)
  print("peak of one core  \(peak.text) GFLOP/s")
  for (row, speeds) in zip(rows, speeds) {
    let speed = Spread(speeds)
    let share =
      row.hasPeak ? String(format: "  %.0f%% of peak", 100 * speed.median / (peak.median * Double(row.threads))) : ""
    let ratio = String(format: "%.1f× twin", speed.median / row.twin.speed)
    print("\(row.name)  \(speed.text) \(row.unit)/s\(share)  \(ratio)  error \(row.twin.error)  threads \(row.threads)")
  }
}

/// Median and quartiles of runs of the same work.
struct Spread {
  let median: Double
  let text: String

  init(_ speeds: [Double]) {
    let sorted = speeds.sorted()
    median = sorted[sorted.count / 2]
    let spread = (sorted[sorted.count * 3 / 4] - sorted[sorted.count / 4]) / 2
    text = String(format: "%.1f (±%.0f%%, n=%d)", median * 1e-9, 100 * spread / median, sorted.count)
  }
}

/// Floating-point operations a second of one core when nothing leaves the registers: twelve independent chains, more
/// than the latency of a multiply-add times the number of its units.
func peakOfOneCore() -> Double {
  let steps = 1_000_000
  var sum: Real = 0
  let time = seconds {
    let x = Register(repeating: hidden(0.5))
    var (a, b, c, d, e, f) = (x, x, x, x, x, x)
    var (g, h, i, j, k, l) = (x, x, x, x, x, x)
    var step = steps
    while step > 0 {
      a.step(x)
      b.step(x)
      c.step(x)
      d.step(x)
      e.step(x)
      f.step(x)
      g.step(x)
      h.step(x)
      i.step(x)
      j.step(x)
      k.step(x)
      l.step(x)
      step &-= 1
    }
    sum = ((a + b + c) + (d + e + f) + (g + h + i) + (j + k + l)).sum()
  }
  use(sum)
  return Double(steps * 12 * Register.scalarCount * 2) / time
}

extension SIMD where Scalar == Real {
  /// self · x + x.
  @inline(__always)
  fileprivate mutating func step(_ x: Self) {
    if hasFusedMultiplyAddAtCompileTime { self = x.addingProduct(self, x) } else { self = self * x + x }
  }
}

#if NO_FMA
  private let hasFusedMultiplyAddAtCompileTime = false
#else
  @inline(__always) private var hasFusedMultiplyAddAtCompileTime: Bool { true }
#endif

/// A number that the optimiser cannot see through.
@inline(never)
func hidden(_ x: Real) -> Real { x }

/// Makes the optimiser believe that a number is needed.
@inline(never)
func use(_ x: Real) { sink = x }
nonisolated(unsafe) private var sink: Real = 0

/// Numbers in −1 ..< 1 from a small generator, the same in every run.
func noise(_ count: Int, seed: UInt64) -> Tensor {
  var state = seed
  return Tensor([count]) { base in
    for index in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      base[index] = Real(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
    }
  }
}
