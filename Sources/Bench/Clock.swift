import Foundation
import Tensor

/// The seconds that a call takes.
func seconds(_ body: () -> Void) -> Double {
  let start = DispatchTime.now().uptimeNanoseconds
  body()
  return Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
}

/// Median and quartiles of samples of the same work.
struct Spread: Codable {
  let median, lower, upper: Double
  let samples: Int

  init(_ values: [Double]) {
    let sorted = values.sorted()
    func quantile(_ share: Double) -> Double {
      let rank = share * Double(sorted.count - 1)
      let (below, above) = (sorted[Int(rank)], sorted[min(Int(rank) + 1, sorted.count - 1)])
      return below + (rank - rank.rounded(.down)) * (above - below)
    }
    (median, lower, upper, samples) = (quantile(0.5), quantile(0.25), quantile(0.75), sorted.count)
  }

  /// Half the distance of the quartiles, in percent of the median.
  var percent: Double { 50 * (upper - lower) / median }
}

/// The bounds of all rows, measured between them: arithmetic of one core within registers, and a copy of memory.
enum Peak {
  /// GFLOP/s of one core when nothing leaves the registers: twelve independent chains, more than the latency of a
  /// multiply-add times the number of its units.
  static func arithmetic() -> Double {
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
      sum = [a, b, c, d, e, f, g, h, i, j, k, l].reduce(Register(), +).sum()
    }
    use(sum)
    return 1e-9 * Double(steps * 12 * Register.scalarCount * 2) / time
  }

  private static let stream = (from: Tensor.zeros([1 << 24]), to: UnsafeSendable(Tensor.zeros([1 << 24])))

  private final class UnsafeSendable: @unchecked Sendable {
    var tensor: Tensor
    init(_ tensor: Tensor) { self.tensor = tensor }
  }

  /// GB/s read and written by all threads when 64 MiB of `Float` are copied.
  static func copy() -> Double {
    let count = stream.from.count
    let time = seconds {
      Tensor.read(stream.from) { from in
        stream.to.tensor.write { to in
          Parallel.forEachRange(count, grain: 1 << 16) { range in
            (to + range.lowerBound).update(from: from + range.lowerBound, count: range.count)
          }
        }
      }
    }
    return 2e-9 * Double(count * MemoryLayout<Real>.stride) / time
  }
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

/// A value that the optimiser cannot see through.
@inline(never)
func hidden(_ x: Real) -> Real { x }

/// Makes the optimiser believe that a value is needed.
@inline(never)
func use(_ x: Real) { sink = x }
nonisolated(unsafe) private var sink: Real = 0

/// Random values in −1 ..< 1 from a small generator, the same in every run.
func noise(_ shape: Shape, seed: UInt64) -> Tensor {
  var state = seed
  return Tensor(shape) { base in
    for index in 0..<shape.count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      base[index] = Real(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
    }
  }
}
