import Foundation

/// A new folder that appears under its name all at once, complete, or not at all.
///
/// Files go to a hidden folder next to it, which `commit` renames. What a killed process leaves there is removed by the
/// next one that makes the same folder; one that is still at work is not disturbed. Dropped without `commit`, say
/// because an error was thrown, it removes what was written.
///
///     let folder = try AtomicFolder(url)
///     try fill(folder.url)
///     try folder.commit()
package struct AtomicFolder: ~Copyable {
  /// The hidden folder to write in.
  package let url: URL
  private let target: URL
  private var lock: FolderLock?

  /// Makes the hidden folder.
  ///
  /// - Throws: `FileError` if it cannot be made, or while another process is making the same folder.
  package init(_ target: URL) throws(FileError) {
    self.target = target
    url = target.deletingLastPathComponent().appendingPathComponent(".\(target.lastPathComponent).partial")
    do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
      throw FileError(file: target.shown, expected: "a folder that can be written", found: error.localizedDescription)
    }
    lock = try FolderLock(url)
    let remains = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    for name in remains where name != FolderLock.fileName {
      try? FileManager.default.removeItem(at: url.appendingPathComponent(name))
    }
  }

  deinit { if lock != nil { try? FileManager.default.removeItem(at: url) } }

  /// Renames the folder.
  ///
  /// - Throws: `FileError` if something has its name meanwhile.
  package consuming func commit() throws(FileError) {
    try CrashPoint.pass(target)
    lock = nil
    guard rename(url.path, target.path) == 0 else {
      let error = FileError(target, expected: "a folder that can be renamed to this")
      try? FileManager.default.removeItem(at: url)
      throw error
    }
    try CrashPoint.pass(target)
  }
}
