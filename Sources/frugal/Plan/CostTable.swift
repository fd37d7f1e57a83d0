import Foundation
import Methods
import Tensor

/// What a run or a sweep will take, as `frugal plan` prints it.
struct CostTable: Encodable {
  /// A part, or all.
  struct Row: Encodable {
    let name: String
    /// Images, prompts or steps; runs for a sweep.
    let count: Int
    let flops, seconds, coreSeconds: Double

    init(_ name: String, _ count: Int, _ cost: WorkCost) {
      (self.name, self.count) = (name, count)
      (flops, seconds, coreSeconds) = (cost.flops, cost.seconds, cost.coreSeconds)
    }
  }

  /// Bytes for one purpose.
  struct Size: Encodable {
    let name: String
    let bytes: Int
  }

  /// What a cache keeps, and what another run with the same images is then spared.
  struct Cacheable: Encodable {
    let images, bytes: Int
    let seconds, coreSeconds: Double
  }

  /// The time of a sweep on some cores.
  struct Elapsed: Encodable {
    let cores: Int
    let seconds: Double
  }

  let parts: [Row]
  let total: Row
  let memory, disk: [Size]
  let memoryBytes, diskBytes: Int
  let cache: Cacheable
  let threads: Int
  /// Of a run: the number of trainable parameters.
  var trainedParameters: Int?
  /// Of a sweep: its time on some cores.
  var elapsed: [Elapsed]?

  /// The table of one run.
  init(_ plan: RunPlan) {
    parts = plan.parts.map { Row($0.name, $0.count, $0.cost) }
    total = Row("total", 1, plan.cost)
    memory = plan.memory.map { Size(name: $0.name, bytes: $0.bytes) }
    disk = plan.disk.map { Size(name: $0.name, bytes: $0.bytes) }
    (memoryBytes, diskBytes) = (plan.memoryBytes, plan.diskBytes)
    let (images, bytes, cost) = plan.cacheable
    cache = Cacheable(images: images, bytes: bytes, seconds: cost.seconds, coreSeconds: cost.coreSeconds)
    threads = Parallel.threads
    trainedParameters = plan.trained
  }

  /// The table of a sweep, one row per method.
  ///
  /// - cores: numbers of cores to share the runs among, as many for each run as there are threads.
  init(_ sweep: SweepCost, cores: [Int]) {
    parts = sweep.rows
    total = Row("total", sweep.rows.reduce(0) { $0 + $1.count }, sweep.total)
    memory = [Size(name: "largest run", bytes: sweep.memoryBytes)]
    disk = [Size(name: "all runs", bytes: sweep.diskBytes)]
    (memoryBytes, diskBytes) = (sweep.memoryBytes, sweep.diskBytes)
    cache = Cacheable(
      images: sweep.images, bytes: sweep.cacheBytes, seconds: sweep.spared.seconds,
      coreSeconds: sweep.spared.coreSeconds)
    threads = Parallel.threads
    elapsed = cores.map { Elapsed(cores: $0, seconds: sweep.seconds(on: $0, threads: Parallel.threads)) }
  }

  /// For people.
  var text: String {
    let rows = (parts + [total]).map { row in
      [
        row.name, grouped(row.count), row.flops > 0 ? String(format: "%.2e", row.flops) : "–",
        Self.duration(row.seconds), Self.duration(row.coreSeconds),
      ]
    }
    var lines = [aligned([["", "count", "FLOP", "time", "core time"]] + rows, rightFrom: 1), ""]
    func sizes(_ all: [Size]) -> String {
      all.map { "\($0.name) \(megabytes($0.bytes))" }.joined(separator: ", ")
    }
    lines.append("memory  \(megabytes(memoryBytes)): \(sizes(memory))")
    lines.append("disk    \(megabytes(diskBytes)): \(sizes(disk))")
    if let trainedParameters { lines.append("trained \(grouped(trainedParameters)) parameters") }
    if cache.images > 0 {
      let who = elapsed == nil ? "another run with the same images is spared" : "runs that share them are spared"
      lines.append(
        "cache   features of \(plural(cache.images, "image")), \(megabytes(cache.bytes)): \(who) "
          + Self.duration(cache.seconds))
    }
    for row in elapsed ?? [] {
      lines.append("on \(plural(row.cores, "core")), \(threads) for each run: \(Self.duration(row.seconds))")
    }
    return lines.joined(separator: "\n")
  }

  /// A line where others take so much of the machine that times are theirs, too.
  var warning: String? {
    let alone = total.coreSeconds / Double(threads)
    guard total.seconds > 1.5 * alone, total.seconds > 1 else { return nil }
    return "warning: \(plural(threads, "thread")) got less than two thirds of as many cores while this was measured; "
      + "with them free the time would be nearer to \(Self.duration(alone))"
  }

  /// 90_000 → "25.0 h", 754 → "12:34", 0.3 → "0.3 s"
  private static func duration(_ seconds: Double) -> String {
    if seconds < 10 { return String(format: "%.1f s", seconds) }
    return seconds < 36_000 ? ProgressLine.duration(seconds) : String(format: "%.1f h", seconds / 3600)
  }
}
