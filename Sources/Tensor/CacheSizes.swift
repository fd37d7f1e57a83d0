import Foundation

/// The caches of a core, in bytes: what products choose their blocks by.
package struct CacheSizes: Sendable, Hashable {
  /// The second level, one core's own.
  package let secondLevel: Int
  /// The third level, shared by several cores.
  package let thirdLevel: Int

  /// Given sizes; one that is unknown, or is beyond what processors have, is taken to be 1 MiB or 32 MiB.
  package init(secondLevel: Int? = nil, thirdLevel: Int? = nil) {
    func plausible(_ bytes: Int?, _ range: ClosedRange<Int>, or other: Int) -> Int {
      bytes.flatMap { range.contains($0) ? $0 : nil } ?? other
    }
    self.secondLevel = plausible(secondLevel, 64 << 10...64 << 20, or: 1 << 20)
    self.thirdLevel = plausible(thirdLevel, 1 << 20...4 << 30, or: 32 << 20)
  }

  /// The sizes in a folder like Linux's `cpu0/cache`: of each cache `level`, `type` and `size`, such as "2",
  /// "Unified" and "1024K".
  init(folder: URL) {
    var sizes: [Int: Int] = [:]
    for index in 0..<16 {
      let cache = folder.appending(path: "index\(index)")
      func text(_ name: String) -> String? {
        (try? String(contentsOf: cache.appending(path: name), encoding: .utf8))?
          .trimmingCharacters(in: .whitespacesAndNewlines)
      }
      guard let level = text("level").flatMap({ Int($0) }), text("type") != "Instruction" else { continue }
      sizes[level] = text("size").flatMap(bytes(cacheSize:))
    }
    self.init(secondLevel: sizes[2], thirdLevel: sizes[3])
  }

  /// Those that the system reports of the first processor, or the usual ones where it reports none.
  package static let ofThisMachine: CacheSizes = {
    #if os(Linux)
      CacheSizes(folder: URL(filePath: "/sys/devices/system/cpu/cpu0/cache"))
    #else
      CacheSizes()
    #endif
  }()
}

/// The bytes of a size such as "32K" or "8M"; `nil` for other text.
func bytes(cacheSize text: String) -> Int? {
  let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
  guard let last = text.last else { return nil }
  let factor = units[last]
  guard let count = Int(factor == nil ? text[...] : text.dropLast()), count >= 0 else { return nil }
  let (bytes, isTooLarge) = count.multipliedReportingOverflow(by: factor ?? 1)
  return isTooLarge ? nil : bytes
}
