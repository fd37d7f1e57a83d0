import Foundation

/// The memory of this process as the system counts it. Linux only: elsewhere it is 0.
package enum ProcessMemory {
  /// Bytes in use.
  package static var resident: Int { status("VmRSS") }

  /// The bytes in use at most since the start or the last reset.
  ///
  /// Not what `getrusage` tells: its peak is inherited from the process that started this one.
  package static var peak: Int { status("VmHWM") }

  /// Lets the peak begin at what is in use (proc(5), `clear_refs`).
  package static func resetPeak() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
  }

  /// A line of proc(5), `status`, which counts in KiB.
  private static func status(_ field: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return (line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }
}
