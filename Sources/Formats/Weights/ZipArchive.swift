/// A ZIP archive: the container of `.npz` and of PyTorch's files (PKWARE's APPNOTE 6.3).
///
///     [local header, name, extra fields, data, perhaps a data descriptor] …
///     [central header, name, extra fields, comment] …
///     (ZIP64 end record and its locator), end record, comment
///
/// Only the central directory is authoritative: local headers may lack sizes, which then follow the data (flag bit 3).
/// Opening reads the directory and finds every entry's data; contents are checked against their CRC-32 when they are
/// read. Refused: several disks, a name twice, entries that overlap, and, when read, encryption and methods other than
/// 0 (stored) and 8 (deflated).
struct ZipArchive: Sendable {
  /// The entries by name.
  let entries: [String: ZipEntry]
  let mapped: MappedFile

  /// Reads the directory of a file.
  init(_ mapped: MappedFile) throws(FormatProblem) {
    self.mapped = mapped
    entries = try mapped.withBytes { bytes throws(FormatProblem) in try ZipDirectory(bytes).entries }
  }

  /// Returns whether a file begins like an archive, with an entry or with the end record of an empty one.
  static func isArchive(_ mapped: MappedFile) -> Bool {
    mapped.withBytes { $0.starts(with: [0x50, 0x4b, 3, 4]) || $0.starts(with: [0x50, 0x4b, 5, 6]) }
  }

  /// Calls `body` with the contents of an entry: in place if they are stored, in separate memory if they are
  /// deflated. The pointer must not outlive the call.
  ///
  /// - isIntact: true if the checksum has already been verified.
  func withContents<Result>(
    of entry: ZipEntry, isIntact: Bool = false, _ body: (UnsafeRawBufferPointer) throws(FormatProblem) -> Result
  ) throws(FormatProblem) -> Result {
    try mapped.withBytes(in: entry.range) { bytes throws(FormatProblem) in
      switch try entry.readableMethod() {
      case .stored:
        if !isIntact { try entry.check(bytes) }
        return try body(bytes)
      case .deflated:
        return try Self.inflated(bytes, limit: entry.size) { contents throws(FormatProblem) in
          guard contents.count == entry.size else {
            throw FormatProblem(expected: "\(entry.size) bytes of contents", found: "\(contents.count)")
          }
          if !isIntact { try entry.check(contents) }
          return try body(contents)
        }
      }
    }
  }

  /// Calls `body` with the first `count` bytes of an entry, or all if there are fewer, without checking them.
  func withPrefix<Result>(
    of entry: ZipEntry, count: Int, _ body: (UnsafeRawBufferPointer) throws(FormatProblem) -> Result
  ) throws(FormatProblem) -> Result {
    try mapped.withBytes(in: entry.range) { bytes throws(FormatProblem) in
      switch try entry.readableMethod() {
      case .stored: try body(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
      case .deflated: try Self.inflated(bytes, limit: min(count, entry.size), excess: .ignored, body)
      }
    }
  }

  private static func inflated<Result>(
    _ bytes: UnsafeRawBufferPointer, limit: Int, excess: Inflate.Excess = .refused,
    _ body: (UnsafeRawBufferPointer) throws(FormatProblem) -> Result
  ) throws(FormatProblem) -> Result {
    let contents: [UInt8]
    do throws(InflateError) {
      contents = try Inflate.decompress(
        bytes.bindMemory(to: UInt8.self), container: .raw, limit: limit, excess: excess)
    } catch { throw FormatProblem(expected: "deflated contents of at most \(limit) bytes", found: "\(error)") }
    return try contents.withUnsafeBufferPointer { (bytes) throws(FormatProblem) in
      try body(UnsafeRawBufferPointer(bytes))
    }
  }
}

/// One file of an archive, as the central directory describes it.
struct ZipEntry: Sendable {
  /// The storage method of contents.
  enum Method: UInt16, Sendable {
    case stored = 0
    case deflated = 8
  }

  let name: String
  let method: UInt16
  let isEncrypted: Bool
  let checksum: UInt32
  /// The bytes of the contents.
  let size: Int
  /// The range of the data in the archive.
  let range: Range<Int>

  /// The method, if it is supported and can yield that many bytes.
  func readableMethod() throws(FormatProblem) -> Method {
    guard !isEncrypted else {
      throw FormatProblem(expected: "contents that are not encrypted", found: "encrypted ones")
    }
    guard let method = Method(rawValue: method) else {
      throw FormatProblem(
        expected: "compression method 0 (stored) or 8 (deflated)", found: "\(method)\(Self.names[method] ?? "")")
    }
    switch method {
    case .stored:
      guard range.count == size else {
        throw FormatProblem(expected: "stored contents of \(size) bytes", found: "\(range.count)")
      }
    case .deflated:
      // A match of 258 bytes takes at least two bits, so no byte yields more than 1032 (RFC 1951).
      guard size / 1032 <= range.count else {
        throw FormatProblem(
          expected: "at most 1032 bytes of contents for each of \(range.count) bytes", found: "\(size)")
      }
    }
    return method
  }

  private static let names: [UInt16: String] = [
    1: " (shrunk)", 6: " (imploded)", 9: " (deflate64)", 12: " (bzip2)", 14: " (LZMA)", 93: " (Zstandard)", 95: " (xz)",
  ]

  /// Compares contents with the checksum.
  func check(_ contents: UnsafeRawBufferPointer) throws(FormatProblem) {
    let found = Checksum.crc32(contents.bindMemory(to: UInt8.self))
    guard found == checksum else {
      throw FormatProblem(
        expected: "contents with CRC-32 \(String(checksum, radix: 16))", found: String(found, radix: 16))
    }
  }
}
