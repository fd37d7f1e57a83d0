import Foundation
import Synchronization
import Tensor

/// What a piece of work takes: products by count, memory by count, time by the clock.
package struct WorkCost: Sendable, Equatable {
  /// Two for each multiply-add of matrix products, those of convolutions and attention included; nothing else.
  package var flops = 0.0
  /// Seconds by the clock.
  package var seconds = 0.0
  /// Seconds of all cores together: what it would take of one core, whatever else the machine does.
  package var coreSeconds = 0.0

  /// A cost by its parts.
  package init(flops: Double = 0, seconds: Double = 0, coreSeconds: Double = 0) {
    (self.flops, self.seconds, self.coreSeconds) = (flops, seconds, coreSeconds)
  }

  /// Both together.
  package static func + (a: WorkCost, b: WorkCost) -> WorkCost {
    WorkCost(flops: a.flops + b.flops, seconds: a.seconds + b.seconds, coreSeconds: a.coreSeconds + b.coreSeconds)
  }

  /// The first without the second.
  package static func - (a: WorkCost, b: WorkCost) -> WorkCost { a + -1 * b }

  /// The same several times.
  package static func * (factor: Double, cost: WorkCost) -> WorkCost {
    WorkCost(flops: factor * cost.flops, seconds: factor * cost.seconds, coreSeconds: factor * cost.coreSeconds)
  }

  /// What of it does not depend on the batch, and what an image adds, from two batches; neither is below 0.
  static func line(
    through small: WorkCost, of a: Int, _ large: WorkCost, of b: Int
  ) -> (fixed: WorkCost, each: WorkCost) {
    func split(_ path: KeyPath<WorkCost, Double>) -> (Double, Double) {
      let each = max(0, large[keyPath: path] - small[keyPath: path]) / Double(b - a)
      // A small batch that took longer than a large one was disturbed.
      let fixed = large[keyPath: path] - each * Double(b)
      return fixed >= 0 ? (fixed, each) : (0, large[keyPath: path] / Double(b))
    }
    let (flops, seconds, cores) = (split(\.flops), split(\.seconds), split(\.coreSeconds))
    return (
      WorkCost(flops: flops.0, seconds: seconds.0, coreSeconds: cores.0),
      WorkCost(flops: flops.1, seconds: seconds.1, coreSeconds: cores.1)
    )
  }

  /// The cost of `body`, and the bytes that it held at most above what was held before; those that it leaves behind do
  /// not count.
  static func measured(_ body: () throws -> Void) rethrows -> (cost: WorkCost, bytes: Int) {
    let live = Workload.liveBytes
    Workload.resetPeak()
    let begun = now
    try body()
    let (cost, peak) = (now - begun, Workload.peakBytes)
    largest.withLock { $0 = max($0, peak) }
    return (cost, peak - max(live, Workload.liveBytes))
  }

  private static let largest = Mutex(0)
  /// The most that tensors have held in all measurements of the process.
  static var largestBytes: Int { largest.withLock { $0 } }

  /// All that the process has taken so far, on the clock since some moment: differences count.
  static var now: WorkCost {
    WorkCost(
      flops: 2 * Double(Workload.multiplyAdds), seconds: time(CLOCK_MONOTONIC),
      coreSeconds: time(CLOCK_PROCESS_CPUTIME_ID))
  }

  private static func time(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
