import Formats
import Foundation
import Methods

/// The flags of the cache of features.
let cacheOptions = [
  Option(
    "--cache", "FOLDER|off",
    "folder where features of frozen encoders are kept for other runs (default FRUGAL_CACHE, or frugal in "
      + "XDG_CACHE_HOME or ~/.cache)"),
  Option(
    "--cache-size", "SIZE",
    "largest size of that folder: 500M, 5G; the least recently used entries are removed (default 5G, or "
      + "FRUGAL_CACHE_SIZE)"),
]

/// The cache of features that the flags and the environment name.
enum CacheFlags {
  /// The flags, which are no part of a run: its results do not depend on them.
  static let names = Set(cacheOptions.map(\.flag))

  /// The cache; `nil` if it is off, or if there is no folder for caches.
  static func cache(
    _ arguments: Arguments, _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(UsageError) -> FeatureCache? {
    let limit = try size(arguments, environment)
    let named = arguments.string("--cache") ?? environment["FRUGAL_CACHE"].flatMap { $0.isEmpty ? nil : $0 }
    guard named != "off" else { return nil }
    return (named ?? usualFolder(environment)).map { FeatureCache(URL(fileURLWithPath: $0), limit: limit) }
  }

  /// A folder of its own for what can be made again, as the XDG Base Directory Specification has it: a relative path in
  /// its variable is not used.
  private static func usualFolder(_ environment: [String: String]) -> String? {
    if let caches = environment["XDG_CACHE_HOME"], caches.hasPrefix("/") { return "\(caches)/frugal" }
    return environment["HOME"].flatMap { $0.hasPrefix("/") ? "\($0)/.cache/frugal" : nil }
  }

  private static func size(_ arguments: Arguments, _ environment: [String: String]) throws(UsageError) -> Int {
    let flag = "--cache-size"
    if let text = arguments.string(flag) { return try bytes(text, flag) }
    return try environment["FRUGAL_CACHE_SIZE"].map { (text) throws(UsageError) in
      try bytes(text, "FRUGAL_CACHE_SIZE")
    } ?? FeatureCache.usualLimit
  }

  /// 500M → 500 · 2²⁰
  private static func bytes(_ text: String, _ flag: String) throws(UsageError) -> Int {
    guard let match = text.wholeMatch(of: /([0-9]{1,9})([KMGT])/), let number = Int(match.1) else {
      throw UsageError(flag, expected: "a whole number and K, M, G or T", found: "\"\(text)\"")
    }
    let powers: [Substring: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
    return number << (powers[match.2] ?? 0)
  }
}

/// 3481600 → "3.5 MB"
func megabytes(_ bytes: Int) -> String {
  let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
  let (size, unit) = units.first { Double(bytes) >= $0.0 } ?? (1e3, "kB")
  return "\(String(format: "%.1f", Double(bytes) / size)) \(unit)"
}
