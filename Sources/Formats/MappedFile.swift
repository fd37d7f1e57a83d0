import Foundation

/// A file seen as memory: pages are read when they are touched, so a checkpoint of gigabytes opens in no time.
///
/// The mapping lives as long as this object, which tensors that lie in it keep alive. The file must not be shortened
/// meanwhile, as no mapping survives that; replacing it by another one (as `AtomicFile` does) is safe.
package final class MappedFile: @unchecked Sendable {
  // @unchecked: the bytes are never written through this mapping.
  private let bytes: UnsafeRawBufferPointer

  /// Maps a regular file for reading.
  ///
  /// - Throws: `FileError` if the file is missing, unreadable or not a regular file (a folder, a pipe).
  package init(contentsOf url: URL) throws(FileError) {
    let (descriptor, count) = try Self.open(url)
    defer { close(descriptor) }
    // An empty range cannot be mapped.
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw FileError(url, expected: "a file that can be mapped")
    }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  /// A regular file opened for reading, which the caller closes, and its length in bytes.
  static func open(_ url: URL) throws(FileError) -> (descriptor: Int32, count: Int) {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = FileName.withPath(url.path) { Foundation.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw FileError(url, expected: "a readable file") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = FileError(url, expected: "a readable file")
      close(descriptor)
      throw error
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileError(file: url.shown, expected: "a regular file", found: isFolder ? "a folder" : "a special file")
    }
    FileReads.note(url)
    return (descriptor, Int(status.st_size))
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }

  /// The length of the file in bytes.
  package var count: Int { bytes.count }

  /// Returns whether bytes lie in the mapping.
  func holds(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let first = bytes.baseAddress, let base = self.bytes.baseAddress else { return false }
    return first >= base && first + bytes.count <= base + self.bytes.count
  }

  /// Calls `body` with all bytes; the pointer must not outlive the call.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  /// Calls `body` with the bytes of a range, which must lie inside the file; the pointer must not outlive the call.
  package func withBytes<Result, Failure: Error>(
    in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
  }
}
