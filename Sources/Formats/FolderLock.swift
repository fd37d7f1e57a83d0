import Foundation

/// The exclusive right to write in a folder, for as long as this object lives.
///
/// It is the system's lock of the file `.frugal-lock` in the folder, which the death of the process ends, however it
/// died; the file says who holds it. File systems without locks give everybody the right.
///
///     let lock = try FolderLock(folder)
package final class FolderLock: Sendable {
  private let file: URL
  private let descriptor: Int32

  /// The name of the file.
  package static let fileName = ".frugal-lock"

  /// Takes the lock, without waiting.
  ///
  /// - Throws: `FileError` if another process holds it, naming host and process, or if the folder cannot be written.
  package init(_ folder: URL) throws(FileError) {
    file = folder.appendingPathComponent(Self.fileName)
    var holder: Int32 = -1
    repeat { holder = try Self.locked(file, in: folder) } while holder < 0
    descriptor = holder
    let text = Array("process \(getpid()) on \(ProcessInfo.processInfo.hostName)\n".utf8)
    ftruncate(descriptor, 0)
    _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  deinit {
    // Only the holder removes the file, and only if it is still its own.
    if Self.isNamed(file, descriptor) { unlink(file.path) }
    close(descriptor)
  }

  /// Checks that nobody holds the lock of a folder.
  ///
  /// - Throws: as `init` does.
  package static func requireFree(_ folder: URL) throws(FileError) { _ = try FolderLock(folder) }

  /// The locked file; −1 if its last holder has removed it meanwhile.
  private static func locked(_ file: URL, in folder: URL) throws(FileError) -> Int32 {
    let descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw FileError(folder, expected: "a folder that can be written") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      let error = FileError(
        file: folder.shown, expected: FileError.freeFolder, found: holder(descriptor))
      close(descriptor)
      throw error
    }
    guard isNamed(file, descriptor) else {
      close(descriptor)
      return -1
    }
    return descriptor
  }

  /// True if an open file still has its name.
  private static func isNamed(_ file: URL, _ descriptor: Int32) -> Bool {
    var (held, named) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(file.path, &named) == 0 && held.st_ino == named.st_ino
      && held.st_dev == named.st_dev
  }

  /// Who holds the lock, as the file says.
  private static func holder(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 400)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first
    return text.map { FileName.shown(String($0)) } ?? "another process"
  }
}

extension FileError {
  fileprivate static let freeFolder = "a folder that no other process is writing"

  /// True if it says that another process holds the lock of a folder.
  package var isHeldFolder: Bool { expected == Self.freeFolder }
}
