import Foundation

/// What is at a path, links followed.
package enum FileKind: Sendable {
  case file, folder, other
  /// A link that leads nowhere.
  case dangling
  /// Nothing.
  case missing
}

/// A file or folder whatever its path: device and inode.
package struct FileIdentity: Hashable, Sendable {
  private let device, inode: UInt64

  fileprivate init(_ status: stat) { (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino)) }
}

/// Folders as the system lists them: names of any bytes, as strings of `FileName`.
package enum FolderListing {
  /// The names in a folder but for itself and its parent, in the order of their bytes.
  ///
  /// - Throws: `FileError` for a folder that cannot be read.
  package static func names(in folder: URL) throws(FileError) -> [String] {
    let expected = "a readable folder"
    guard let listing = FileName.withPath(folder.path, { opendir($0) }) else {
      throw FileError(folder, expected: expected)
    }
    defer { closedir(listing) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(listing) else {
        guard errno == 0 else { throw FileError(folder, expected: expected) }
        break
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: UInt8.self, capacity: 1) { start in
          var count = 0
          while start[count] != 0 { count += 1 }
          return Array(UnsafeBufferPointer(start: start, count: count))
        }
      }
      if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map { FileName.string($0) }
  }

  /// The kind of what is at a path, and its identity if there is something.
  ///
  /// - Throws: `FileError` where the system does not tell.
  package static func kind(of url: URL) throws(FileError) -> (kind: FileKind, identity: FileIdentity?) {
    var status = stat()
    let found = FileName.withPath(url.path) { stat($0, &status) }
    guard found == 0 else {
      let reason = errno
      var link = stat()
      if FileName.withPath(url.path, { lstat($0, &link) }) == 0 {
        guard link.st_mode & S_IFMT == S_IFLNK, reason == ENOENT || reason == ELOOP || reason == ENOTDIR else {
          errno = reason
          throw FileError(url, expected: "a readable file or folder")
        }
        return (.dangling, nil)
      }
      guard reason == ENOENT || reason == ENOTDIR else {
        errno = reason
        throw FileError(url, expected: "a readable file or folder")
      }
      return (.missing, nil)
    }
    let kind: FileKind =
      switch status.st_mode & S_IFMT {
      case S_IFDIR: .folder
      case S_IFREG: .file
      default: .other
      }
    return (kind, FileIdentity(status))
  }
}
