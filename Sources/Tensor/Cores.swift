import Foundation

/// The processors this process may run on, at least 1.
///
/// A batch system or a container often grants fewer than the machine has: as a set of processors (taskset, Slurm,
/// cpuset), or as a share of their time (a cgroup's quota, which starting more threads than it pays for would exhaust).
/// Foundation's count knows neither, and glibc's `sched_getaffinity` is not visible from Swift: both limits are read
/// from the files in which the kernel shows them, where there are such.
func availableCores() -> Int {
  var cores = ProcessInfo.processInfo.activeProcessorCount
  #if os(Linux)
    func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
    cores = min(cores, coresAllowed(status: text("/proc/self/status")) ?? cores)
    cores = min(cores, coresPaid(quota: text("/sys/fs/cgroup/cpu.max")) ?? cores)
  #endif
  return max(1, cores)
}

/// The processors in the affinity mask of `/proc/self/status`, hexadecimal words separated by commas.
func coresAllowed(status: String) -> Int? {
  let label = "Cpus_allowed:"
  guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(label) }) else { return nil }
  let digits = line.dropFirst(label.count).compactMap(\.hexDigitValue)
  let count = digits.reduce(0) { $0 + $1.nonzeroBitCount }
  return count > 0 ? count : nil
}

/// Whole cores that a cgroup's `cpu.max` pays for, rounded up: "quota period" in microseconds; nil for "max period".
func coresPaid(quota text: String) -> Int? {
  let fields = text.split(whereSeparator: \.isWhitespace).map { Int($0) }
  guard fields.count == 2, let quota = fields[0], let period = fields[1], quota > 0, period > 0 else { return nil }
  return 1 + (quota - 1) / period
}
