import Foundation

/// The memory that a piece of work takes, as the system counts it.
///
/// It is that of the whole process, so the work belongs into an exit test, whose process does nothing else. Linux only:
/// elsewhere it is 0, and tests that compare it with a bound hold.
package enum PeakMemory {
  /// The bytes in use at most during the work, beyond those in use before it.
  package static func during(_ work: () throws -> Void) rethrows -> Int {
    // 5 resets the peak (proc(5), clear_refs).
    try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
    let before = status("VmRSS")
    try work()
    return max(0, status("VmHWM") - before)
  }

  /// Seconds of processor time that the process has used.
  package static var processorTime: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private static func status(_ name: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }
}
