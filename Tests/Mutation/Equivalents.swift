import Foundation

/// Mutations that change nothing a test could see, each with the reason, in blocks of four lines:
///
///     path of the file
///     the line of the source, without the space around
///     the change, or `any` for every change of the line
///     the reason
///
/// Numbers of lines are not part of it, so that an entry stays true when lines above it come or go.
struct Equivalents: Sendable {
  struct Entry: Sendable {
    let path, sourceLine, change, reason: String
  }

  let entries: [Entry]

  init(contentsOf file: URL) throws {
    let blocks = try String(contentsOf: file, encoding: .utf8).split(separator: "\n\n")
    entries = try blocks.compactMap { block in
      let lines = block.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
      if lines.isEmpty { return nil }
      guard lines.count == 4 else {
        throw Failure("\(file.lastPathComponent): expected path, line, change and reason, found\n\(block)")
      }
      return Entry(path: lines[0], sourceLine: lines[1], change: lines[2], reason: lines[3])
    }
  }

  func entry(for mutation: Mutation) -> Entry? { entries.first { Self.matches($0, mutation) } }

  /// Entries that no mutation of the sources answers to: the line was changed, and the reason must be thought of again.
  func stale(among mutations: [Mutation]) -> [Entry] {
    entries.filter { entry in !mutations.contains { Self.matches(entry, $0) } }
  }

  private static func matches(_ entry: Entry, _ mutation: Mutation) -> Bool {
    entry.path == mutation.path && entry.sourceLine == mutation.sourceLine
      && (entry.change == "any" || entry.change == mutation.change)
  }
}
