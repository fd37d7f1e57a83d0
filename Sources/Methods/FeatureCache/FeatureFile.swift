import Formats
import Foundation
import Tensor

/// A file of the cache: a line of JSON that says what it holds, a key per row, and the rows.
///
/// Its name is that of its shelf and the SHA-256 of its bytes: what was damaged is noticed, and equal features are one
/// file whoever wrote them.
struct FeatureFile: Sendable {
  /// What a file holds, for a reader of the cache.
  struct About: Sendable, Codable, Equatable {
    /// `images` or `texts`.
    var kind: String
    /// Model and data of the run that wrote it, as they were given.
    var model, data: String
    /// The number of rows, and of values in each.
    var rows, width: Int
  }

  /// The file.
  let url: URL
  /// What it holds.
  let about: About
  /// The key of every row.
  let keys: [FeatureKey]

  static let pathExtension = "features"
  /// The line of JSON is short: two paths.
  private static let longestLine = 1 << 16

  /// Reads what a file holds, without its rows.
  ///
  /// - Returns: `nil` for a file that is no such thing, or of a size that its first line does not explain.
  init?(_ url: URL) {
    guard let file = try? FileHandle(forReadingFrom: url) else { return nil }
    defer { try? file.close() }
    guard let start = try? file.read(upToCount: Self.longestLine),
      let (about, first) = Self.header([UInt8](start)), let size = try? file.seekToEnd(),
      Int(size) == first + about.rows * (FeatureKey.byteCount + about.width * MemoryLayout<Real>.size)
    else { return nil }
    let count = about.rows * FeatureKey.byteCount
    guard (try? file.seek(toOffset: UInt64(first))) != nil, let bytes = try? file.read(upToCount: count),
      bytes.count == count
    else { return nil }
    (self.url, self.about) = (url, about)
    keys = [UInt8](bytes).batches(of: FeatureKey.byteCount).map { FeatureKey(bytes: $0) }
  }

  private static func header(_ bytes: [UInt8]) -> (About, first: Int)? {
    guard let end = bytes.firstIndex(of: 10), let about = try? JSON.decoded(About.self, from: bytes[..<end]),
      about.rows > 0, about.width > 0, about.rows < 1 << 31, about.width < 1 << 24
    else { return nil }
    return (about, end + 1)
  }

  /// The rows, [rows · width]; `nil` if the bytes are not those of the name.
  ///
  /// Read, not mapped: the file may be removed by another process, and on a network file system that ends a mapping.
  func values() -> [Real]? {
    guard let bytes = try? MappedFile.bytes(of: url, limit: .max),
      url.deletingPathExtension().lastPathComponent.hasSuffix("-\(SHA256.digest(of: bytes))")
    else { return nil }
    let size = about.rows * about.width * MemoryLayout<Real>.size
    return [Real](unsafeUninitializedCapacity: about.rows * about.width) { values, count in
      bytes.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(values).copyMemory(from: UnsafeRawBufferPointer(rebasing: $0.suffix(size)))
      }
      count = about.rows * about.width
    }
  }

  /// The bytes of a file, and its name on a shelf.
  ///
  /// - values: [rows · width] in the byte order of this machine, as the program that wrote them is part of the shelf.
  static func encoded(
    _ about: About, _ keys: [FeatureKey], _ values: [Real], shelf: String
  ) throws -> (name: String, bytes: [UInt8]) {
    var bytes = [UInt8](try JSON.encoded(about)) + [10]
    for key in keys { bytes += key.bytes }
    values.withUnsafeBytes { bytes += $0 }
    return ("\(shelf)-\(SHA256.digest(of: bytes)).\(pathExtension)", bytes)
  }
}
