import Formats
import Foundation
import Tensor

/// Features of frozen encoders on disk, computed once and shared by all runs and processes that know the folder.
///
/// An entry is found by the contents of all that decides its bits, so none can be stale: weights and configuration of
/// the model, the program, the way images are prepared, and each image. A file appears whole or not at all, and one
/// that was damaged is noticed by its digest and made again.
public struct FeatureCache: Sendable, Equatable {
  /// The folder, which is made when something is written.
  public let folder: URL
  /// The largest size of all entries together, in bytes; the least recently used ones are removed.
  public let limit: Int

  /// 5 GiB: 2.6 million images of a CLIP whose embedding has 512 elements.
  public static let usualLimit = 5 << 30

  /// The cache in a folder.
  public init(_ folder: URL, limit: Int = usualLimit) { (self.folder, self.limit) = (folder, limit) }

  /// A file of the cache.
  package struct Entry: Sendable {
    /// The file.
    package let url: URL
    /// Its size.
    package let bytes: Int
    /// When it was last read or written.
    package let used: Date
  }

  /// The files, the least recently used one first.
  package var entries: [Entry] {
    let found = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    let entries = (found ?? []).filter { $0.pathExtension == FeatureFile.pathExtension }.compactMap { url -> Entry? in
      var status = stat()
      guard stat(url.path, &status) == 0 else { return nil }
      let used = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
      return Entry(url: url, bytes: Int(status.st_size), used: Date(timeIntervalSince1970: used))
    }
    return entries.sorted { ($0.used, $0.url.lastPathComponent) < ($1.used, $1.url.lastPathComponent) }
  }

  /// Removes the least recently used entries until no more than `limit` bytes are left.
  ///
  /// - Returns: what was removed.
  @discardableResult package func trim() -> [Entry] {
    var entries = entries[...]
    var (size, removed) = (entries.reduce(0) { $0 + $1.bytes }, [Entry]())
    while size > limit, let oldest = entries.popFirst() {
      // Another process may have removed it.
      if unlink(oldest.url.path) == 0 { removed.append(oldest) }
      size -= oldest.bytes
    }
    return removed
  }

  /// Removes entries whose bytes are no longer those that were written.
  ///
  /// - Returns: what was removed.
  package func removeDamaged() -> [Entry] {
    entries.filter { FeatureFile($0.url)?.values() == nil && unlink($0.url.path) == 0 }
  }

  /// Removes all entries.
  ///
  /// - Returns: what was removed.
  package func clear() -> [Entry] { entries.filter { unlink($0.url.path) == 0 } }

  /// The files of a shelf, without their rows.
  func files(of shelf: String) -> [FeatureFile] {
    entries.filter { $0.url.lastPathComponent.hasPrefix("\(shelf)-") }.compactMap { FeatureFile($0.url) }
  }

  /// Notes that a file was used: now, by the clock of its file system.
  static func touch(_ url: URL) { utimensat(AT_FDCWD, url.path, nil, 0) }

  /// Writes a file, and removes what is too much then.
  ///
  /// - Throws: `FileError` if it cannot be written.
  func add(_ about: FeatureFile.About, _ keys: [FeatureKey], _ values: [Real], shelf: String) throws {
    let (name, bytes) = try FeatureFile.encoded(about, keys, values, shelf: shelf)
    // It would remove everything, itself included.
    guard bytes.count <= limit else { return }
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw FileError(file: folder.shown, expected: "a folder that can be written", found: error.localizedDescription)
    }
    try AtomicFile.write(bytes, to: folder.appendingPathComponent(name), flushing: false)
    trim()
  }
}

extension FeatureCache {
  /// What an entry holds; `nil` for a damaged one.
  package static func contents(of entry: Entry) -> (kind: String, model: String, data: String, rows: Int)? {
    FeatureFile(entry.url).map { ($0.about.kind, $0.about.model, $0.about.data, $0.about.rows) }
  }
}
