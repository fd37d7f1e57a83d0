import Foundation
import Synchronization

/// The moments at which a process could die while it writes files: tests let it do so at each of them.
///
/// In debug builds `FRUGAL_CRASH_AT=7` ends the process at the seventh, without any clearing up, as a kill or the loss
/// of power does, and `FRUGAL_FAIL_AT=7` lets the seventh fail as a full disk does. Other builds read neither.
enum CrashPoint {
  #if DEBUG
    /// The exit code of a process that ended at the point it was told.
    private static let code: Int32 = 86
    private static let crash = number("FRUGAL_CRASH_AT")
    private static let failure = number("FRUGAL_FAIL_AT")
    private static let passed = Atomic<Int>(0)

    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

    /// Counts a moment, and dies or fails if it is the one.
    static func pass(_ file: URL) throws(FileError) {
      guard crash != nil || failure != nil else { return }
      let point = passed.wrappingAdd(1, ordering: .relaxed).newValue
      if point == crash { _exit(code) }
      if point == failure {
        throw FileError(file: file.shown, expected: "crash point \(point) passed", found: "FRUGAL_FAIL_AT")
      }
    }
  #else
    /// Nothing.
    @inline(__always) static func pass(_ file: URL) throws(FileError) {}
  #endif
}
