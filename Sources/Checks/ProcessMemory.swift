import Foundation
import Methods

/// The memory of this process as the system counts it. Linux only: elsewhere it is 0.
package enum ProcessMemory {
  /// Bytes in use.
  package static var resident: Int { RunMachine.memory("VmRSS") }

  /// The bytes in use at most since the start or the last reset.
  ///
  /// Not what `getrusage` tells: its peak is inherited from the process that started this one.
  package static var peak: Int { RunMachine.memory("VmHWM") }

  /// Lets the peak begin at what is in use (proc(5), `clear_refs`).
  package static func resetPeak() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
  }
}
