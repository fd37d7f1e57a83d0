import Foundation
import Tensor

/// The machine that a run ended on, and what it took of it: a part of `timing.json`.
package struct RunMachine: Sendable, Codable, Equatable {
  /// The processor's own name.
  package var processor: String
  /// The threads that were used.
  package var threads: Int
  /// The largest number of bytes that the process used at a time; 0 where the system does not count it. A process that
  /// trains several runs counts them together.
  package var peakMemoryBytes: Int

  package init(processor: String, threads: Int, peakMemoryBytes: Int) {
    (self.processor, self.threads, self.peakMemoryBytes) = (processor, threads, peakMemoryBytes)
  }

  /// This machine, and this process so far.
  package static var current: RunMachine {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    return RunMachine(
      processor: processorName(in: text), threads: Parallel.threads, peakMemoryBytes: memory("VmHWM"))
  }

  /// The first processor's name in the text of `/proc/cpuinfo`.
  package static func processorName(in text: String) -> String {
    func value(_ label: String) -> String? {
      let line = text.split(separator: "\n").first { $0.hasPrefix(label) }
      return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }
    return value("model name") ?? value("CPU part") ?? "not known"
  }

  /// A line of proc(5), `status`, which counts in KiB, in bytes; 0 where there is none.
  package static func memory(_ field: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return (line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }

  /// Makes the largest number of bytes that of now, where the system can (proc(5), `clear_refs`).
  static func resetPeakMemory() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
    try? file.close()
  }

  /// True if it can be: files are edited.
  var isPlausible: Bool { (1...1_000_000).contains(threads) && (0...(1 << 50)).contains(peakMemoryBytes) }
}
