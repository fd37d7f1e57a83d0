import Foundation
import Methods

/// `frugal cache`: what is kept of frozen encoders, and its removal.
enum CacheCommand: Command {
  static let name = "cache"
  static let summary = "features of frozen encoders that are kept for other runs: list, prune, remove"
  static let operands = ""
  static let calculates = false
  static let options =
    cacheOptions + [
      Option("--prune", "remove damaged entries, and the least recently used ones above --cache-size"),
      Option("--clear", "remove all entries"),
      jsonOption,
    ]
  static let examples = [
    Example("frugal cache", "entries and their size, by model and data"),
    Example("frugal cache --prune --cache-size 500M", "leaves 500 MiB of what was used last"),
    Example("frugal cache --clear", "features are computed again when they are needed"),
  ]

  /// Entries of one kind, model and data.
  struct Group: Encodable {
    let kind, model, data: String
    var files, rows, bytes: Int
    /// In seconds since 1970.
    var lastUsed: Double
  }

  /// The output of `--json`.
  struct Listing: Encodable {
    let folder: String
    let limit, bytes, files: Int
    /// Files that are no entries, or were damaged.
    let unreadable: Int
    let entries: [Group]
    /// With `--prune` or `--clear`: what was removed.
    let removedFiles, removedBytes: Int?
  }

  static func run(_ arguments: Arguments) throws {
    guard !arguments.has("--prune") || !arguments.has("--clear") else {
      throw UsageError("--prune, --clear", expected: "one of them", found: "both")
    }
    guard let cache = try CacheFlags.cache(arguments) else {
      throw UsageError("--cache", expected: "a folder", found: "off")
    }
    var removed: [FeatureCache.Entry]?
    if arguments.has("--clear") { removed = cache.clear() }
    if arguments.has("--prune") { removed = cache.removeDamaged() + cache.trim() }
    let found = listing(cache, removed: removed)
    arguments.has("--json") ? try printJSON(found) : print(text(found))
  }

  private static func listing(_ cache: FeatureCache, removed: [FeatureCache.Entry]?) -> Listing {
    let entries = cache.entries
    var (groups, unreadable) = ([[String]: Group](), 0)
    for entry in entries {
      guard let (kind, model, data, rows) = FeatureCache.contents(of: entry) else {
        unreadable += 1
        continue
      }
      let none = Group(kind: kind, model: model, data: data, files: 0, rows: 0, bytes: 0, lastUsed: 0)
      var group = groups[[kind, model, data]] ?? none
      (group.files, group.rows, group.bytes) = (group.files + 1, group.rows + rows, group.bytes + entry.bytes)
      group.lastUsed = max(group.lastUsed, entry.used.timeIntervalSince1970)
      groups[[kind, model, data]] = group
    }
    return Listing(
      folder: cache.folder.path, limit: cache.limit, bytes: entries.reduce(0) { $0 + $1.bytes }, files: entries.count,
      unreadable: unreadable, entries: groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value),
      removedFiles: removed?.count, removedBytes: removed?.reduce(0) { $0 + $1.bytes })
  }

  private static func text(_ found: Listing) -> String {
    var lines: [String] = []
    if let files = found.removedFiles, let bytes = found.removedBytes {
      lines.append("removed \(plural(files, "file")), \(megabytes(bytes))")
    }
    lines.append(
      "\(found.folder): \(plural(found.files, "file")), \(megabytes(found.bytes)) of at most \(megabytes(found.limit))")
    let now = Date().timeIntervalSince1970
    let rows = found.entries.map { group in
      [
        group.kind, group.model, group.data, grouped(group.rows), grouped(group.files), megabytes(group.bytes),
        age(now - group.lastUsed),
      ]
    }
    if !rows.isEmpty {
      let head = ["features of", "model", "data", "rows", "files", "size", "last used"]
      lines.append(aligned([head] + rows, rightFrom: 3))
    }
    if found.unreadable > 0 {
      lines.append("\(plural(found.unreadable, "file")) damaged or of another version (--prune removes them)")
    }
    return lines.joined(separator: "\n")
  }

  /// 7300 → "2 hours ago"
  static func age(_ seconds: Double) -> String {
    let units = [(86_400.0, "day"), (3600, "hour"), (60, "minute")]
    for (length, unit) in units where seconds >= length { return "\(plural(Int(seconds / length), unit)) ago" }
    return "now"
  }
}
