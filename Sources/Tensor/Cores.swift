import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The processors this process may run on, at least 1.
///
/// A batch system or a container often grants fewer than the machine has: as a set of processors (taskset, Slurm,
/// cpuset), or as a share of their time (a cgroup's quota, which starting more threads than it pays for would exhaust).
func availableCores() -> Int {
  var cores = ProcessInfo.processInfo.activeProcessorCount
  #if os(Linux)
    var allowed = cpu_set_t()
    if sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &allowed) == 0 {
      let count = withUnsafeBytes(of: allowed) { $0.reduce(0) { $0 + $1.nonzeroBitCount } }
      if count > 0 { cores = min(cores, count) }
    }
    // The unified hierarchy as seen from inside a container: "quota period" in microseconds, or "max period".
    if let text = try? String(contentsOfFile: "/sys/fs/cgroup/cpu.max", encoding: .utf8), let quota = coreQuota(text) {
      cores = min(cores, quota)
    }
  #endif
  return max(1, cores)
}

/// Whole cores that a cgroup's `cpu.max` pays for, rounded up; nil without a limit.
func coreQuota(_ text: String) -> Int? {
  let fields = text.split(whereSeparator: \.isWhitespace).map { Int($0) }
  guard fields.count == 2, let quota = fields[0], let period = fields[1], quota > 0, period > 0 else { return nil }
  return 1 + (quota - 1) / period
}
