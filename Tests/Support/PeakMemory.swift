import Checks
import Foundation

/// The memory that a piece of work takes, as the system counts it.
///
/// It is that of the whole process, so the work belongs into an exit test, whose process does nothing else. Linux only:
/// elsewhere it is 0, and tests that compare it with a bound hold.
package enum PeakMemory {
  /// The bytes in use at most during the work, beyond those in use before it.
  package static func during(_ work: () throws -> Void) rethrows -> Int {
    ProcessMemory.resetPeak()
    let before = ProcessMemory.resident
    try work()
    return max(0, ProcessMemory.peak - before)
  }

  /// Seconds of processor time that the process has used.
  package static var processorTime: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
