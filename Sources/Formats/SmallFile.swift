import Foundation

extension MappedFile {
  /// The bytes of a small file, such as a configuration or a picture, read once into the array that is returned.
  ///
  /// Where the file shrinks meanwhile or its server fails, this gives a shorter array or an error; under a mapping the
  /// process would end.
  ///
  /// - Throws: `FileError` if the file is missing, unreadable, not a regular file, or larger than `limit` bytes.
  package static func bytes(of url: URL, limit: Int = 16 << 20) throws(FileError) -> [UInt8] {
    let (descriptor, size) = try open(url)
    defer { close(descriptor) }
    guard size <= limit else {
      throw FileError(file: url.shown, expected: "at most \(limit) bytes", found: "\(size)")
    }
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      while count < size {
        let found = read(descriptor, base + count, size - count)
        if found < 0 && errno == EINTR { continue }
        if found < 0 { failure = FileError(url, expected: "a readable file") }
        // A file that has shrunk ends here.
        guard found > 0 else { return }
        count += found
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// The same of a file of text, whose strings are compared and hashed in time that grows with their length.
  ///
  /// - Throws: `FileError` as above, and for too many combining marks in a row.
  package static func text(of url: URL, limit: Int = 16 << 20) throws(FileError) -> [UInt8] {
    let bytes = try bytes(of: url, limit: limit)
    if let position = CombiningMarks.excess(in: bytes) {
      throw FileError(file: url.shown, expected: CombiningMarks.expected, found: "more at byte \(position)")
    }
    return bytes
  }
}
