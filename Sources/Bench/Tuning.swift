import Foundation
import Tensor

/// `gemm --tune`: the extents of the blocks that are fastest on this machine.
///
/// One extent after the other takes other values, all in turns, and keeps the fastest if it gains more than 1 % over
/// the one before, which is beyond what repeated runs differ by. Speed is the geometric mean over a few products.
struct Tuning {
  let threads: Int
  let repeats: Int

  /// The least gain that changes an extent.
  private static let leastGain = 1.01

  /// Maps of a ViT-B/16 for eight images, forward and both gradients, those of few rows, and squares.
  private static let products: [(m: Int, n: Int, k: Int, layout: Layout)] = [
    (1576, 3072, 768, .nt), (1576, 768, 3072, .nt), (1576, 768, 3072, .nn), (3072, 768, 1576, .tn),
    (197, 768, 768, .nt), (256, 256, 256, .nn), (1024, 1024, 1024, .nt), (64, 64, 25_216, .tn),
  ]

  /// The other values of each extent.
  private static let candidates: [(name: String, extents: @Sendable (Blocks) -> [Blocks])] = [
    ("depth", { now in [200, 400, 600, 1200].map { now.with(depth: $0) } }),
    ("rows", { now in [54, 108, 222, 444, 666].map { now.with(rows: $0) } }),
    ("columns", { now in [1024, 2048, 4096, 8192].map { now.with(columns: $0) } }),
    ("small", { now in (13...18).map { now.with(small: 1 << $0) } }),
  ]

  func run() {
    Parallel.threads = threads
    let caches = CacheSizes.ofThisMachine
    show("second-level cache \(caches.secondLevel >> 10) KiB, third-level \(caches.thirdLevel >> 10) KiB")
    show("\(threads) of \(Parallel.cores) cores, \(Real.self), \(targetDescription)")
    show("table     \(Blocks.ofThisMachine.line)")
    var (best, total) = (Blocks.ofThisMachine, 1.0)
    for (name, extents) in Self.candidates {
      show("\n\(name)")
      let others = extents(best).filter { $0 != best }
      let speeds = measured([best] + others)
      for (blocks, speed) in zip([best] + others, speeds) {
        show("\(blocks.line)  " + String(format: "%6.1f GFLOP/s  %.3f", speed, speed / speeds[0]))
      }
      let gains = zip(others, speeds.dropFirst()).map { (blocks: $0, gain: $1 / speeds[0]) }
      if let fastest = gains.max(by: { $0.gain < $1.gain }), fastest.gain > Self.leastGain {
        (best, total) = (fastest.blocks, total * fastest.gain)
      }
    }
    show("")
    show(
      best == .ofThisMachine
        ? "the table's extents are as fast as any of these"
        : "fastest   \(best.line)  " + String(format: "%.1f %% faster than the table's", 100 * (total - 1)))
  }

  /// The geometric mean of the speeds of all products, for each of the extents.
  private func measured(_ extents: [Blocks]) -> [Double] {
    var logarithms = [Double](repeating: 0, count: extents.count)
    for (m, n, k, layout) in Self.products {
      let works = extents.map { product(1, m, n, k, layout, blocks: $0) }
      for work in works { work.run() }
      let calls = max(1, Int(0.01 / seconds(works[0].run)))
      var times = [[Double]](repeating: [], count: works.count)
      for _ in 0..<repeats {
        for (index, work) in works.enumerated() {
          times[index].append(seconds { for _ in 0..<calls { work.run() } } / Double(calls))
        }
      }
      for index in works.indices {
        logarithms[index] += log(works[index].amount.count / Spread(times[index]).median)
      }
    }
    return logarithms.map { exp($0 / Double(Self.products.count)) }
  }
}

extension Blocks {
  fileprivate func with(depth: Int? = nil, rows: Int? = nil, columns: Int? = nil, small: Int? = nil) -> Blocks {
    Blocks(
      depth: depth ?? self.depth, rows: rows ?? self.rows, columns: columns ?? self.columns, small: small ?? self.small)
  }

  fileprivate var line: String {
    ["depth \(depth)", "rows \(rows)", "columns \(columns)", "small \(small)"].map { column($0, 14) }.joined()
  }
}
