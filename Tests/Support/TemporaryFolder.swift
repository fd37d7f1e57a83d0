import Foundation

/// A folder that is gone when the last reference to it is.
package final class TemporaryFolder: Sendable {
  /// Where it is.
  package let url: URL

  /// An empty folder of its own.
  package init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("frugal-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The place of a file in it; folders on the way are made.
  package func file(_ path: String) throws -> URL {
    let file = url.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    return file
  }

  /// Writes a file in it.
  @discardableResult
  package func write(_ bytes: [UInt8], to path: String) throws -> URL {
    let file = try file(path)
    // Foundation's `Data.write(to:)` waits for the disk; so do some file systems where a file is made empty again.
    unlink(file.path)
    let descriptor = open(file.path, O_WRONLY | O_CREAT | O_EXCL, 0o666)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: file.path]) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.write(contentsOf: bytes)
    try handle.close()
    return file
  }

  /// Writes a text file in it.
  @discardableResult
  package func write(_ text: String, to path: String) throws -> URL { try write(Array(text.utf8), to: path) }

  /// The paths of the files in it, sorted.
  package var contents: [String] {
    (FileManager.default.enumerator(atPath: url.path)?.compactMap { $0 as? String } ?? []).sorted()
  }
}
