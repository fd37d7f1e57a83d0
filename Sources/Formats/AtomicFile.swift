import Foundation
import Synchronization

/// A file that appears under its name all at once, complete and on disk, or not at all.
///
/// Bytes go to a temporary name in the same folder; `commit` flushes them and renames the file over its target. An
/// `AtomicFile` that is dropped without `commit`, say because an error was thrown, removes the temporary file and
/// leaves an older target untouched. What a killed process leaves behind is removed by the next one that writes in the
/// folder (`AbandonedFiles`): the temporary file is locked for as long as its writer lives.
///
///     var file = try AtomicFile(replacing: url)
///     try file.write(bytes)
///     try file.commit()
package struct AtomicFile: ~Copyable {
  private let target: URL
  private var temporary: String
  private var descriptor: Int32

  private static let serial = Atomic<Int>(0)

  /// Opens a temporary file in the folder of `target`.
  ///
  /// - Throws: `FileError` if the folder is missing or not writable, or if `target` is a folder or a device.
  package init(replacing target: URL) throws(FileError) {
    self.target = target
    temporary = ""
    descriptor = -1
    var status = stat()
    // Renaming over a device would replace it by a file.
    if stat(target.path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileError(file: target.shown, expected: "a file to write", found: isFolder ? "a folder" : "a special file")
    }
    let folder = target.deletingLastPathComponent()
    AbandonedFiles.removeOnce(in: folder)
    while descriptor < 0 {
      // The name is short and its own, as one made of the target's could exceed the 255 bytes a name may have.
      let number = Self.serial.wrappingAdd(1, ordering: .relaxed).newValue
      temporary = folder.appendingPathComponent(AbandonedFiles.name(number)).path
      let opened = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard opened >= 0 else { throw FileError(target, expected: "a file that can be written") }
      // Another process may take the file for an abandoned one until it is locked, and remove it.
      guard AbandonedFiles.isOwned(opened) else {
        close(opened)
        continue
      }
      descriptor = opened
    }
    try CrashPoint.pass(target)
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  /// Appends bytes.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try CrashPoint.pass(target)
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = UnsafeRawBufferPointer(rebasing: rest).withMemoryRebound(to: UInt8.self) {
        #if canImport(Glibc)
          Glibc.write(descriptor, $0.baseAddress!, $0.count)
        #elseif canImport(Musl)
          Musl.write(descriptor, $0.baseAddress!, $0.count)
        #else
          Darwin.write(descriptor, $0.baseAddress!, $0.count)
        #endif
      }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw FileError(target, expected: "space for \(rest.count) more bytes") }
      rest = rest.dropFirst(written)
    }
  }

  /// Appends bytes.
  package mutating func write(_ bytes: [UInt8]) throws(FileError) {
    let written = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try write(bytes) } }
    try written.get()
  }

  /// Replaces the target by the file, after its bytes have reached the disk.
  ///
  /// - flushing: false does not wait for the disk: complete unless the machine itself stops. For thousands of files
  ///   that can be made again.
  package consuming func commit(flushing: Bool = true) throws(FileError) {
    try CrashPoint.pass(target)
    guard !flushing || fsync(descriptor) == 0 else { throw FileError(target, expected: "a file that can be written") }
    guard rename(temporary, target.path) == 0 else {
      throw FileError(target, expected: "a file that can be replaced")
    }
    close(descriptor)
    descriptor = -1
    try CrashPoint.pass(target)
    guard flushing else { return }
    // The new name itself is on disk once the folder is; where folders cannot be flushed, the file is still whole.
    let folder = open(target.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// Writes a whole file at once; `flushing` as for `commit`.
  package static func write(_ bytes: [UInt8], to url: URL, flushing: Bool = true) throws(FileError) {
    var file = try AtomicFile(replacing: url)
    try file.write(bytes)
    try file.commit(flushing: flushing)
  }
}
