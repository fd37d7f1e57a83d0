import Foundation
import Methods

/// The machine, as the kernel shows it.
struct Machine: Encodable {
  /// The processor's own name.
  let name: String
  let cores: Int
  /// The features that kernels can be built for.
  let features: [String]
  /// In all, and what is available.
  let memoryBytes, availableBytes: Int?

  /// `15.6 GB, 12.0 GB of it available`
  var memory: String {
    func text(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }
    guard let memoryBytes else { return "not known" }
    return text(memoryBytes) + (availableBytes.map { ", \(text($0)) of it available" } ?? "")
  }

  static var current: Machine {
    func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
    return Machine(processor: read("/proc/cpuinfo"), memory: read("/proc/meminfo"))
  }

  private static let known = ["sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "asimd", "sve"]

  /// From the texts of `/proc/cpuinfo` and `/proc/meminfo`.
  init(processor: String, memory: String) {
    func value(_ label: String, in text: String) -> String? {
      let line = text.split(separator: "\n").first { $0.hasPrefix(label) }
      return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }
    func bytes(_ label: String) -> Int? {
      value(label, in: memory)?.split(separator: " ").first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    name = RunMachine.processorName(in: processor)
    cores = ProcessInfo.processInfo.activeProcessorCount
    let flags = Set((value("flags", in: processor) ?? value("Features", in: processor) ?? "").split(separator: " "))
    features = Self.known.filter { flags.contains($0[...]) }
    (memoryBytes, availableBytes) = (bytes("MemTotal:"), bytes("MemAvailable:"))
  }
}
