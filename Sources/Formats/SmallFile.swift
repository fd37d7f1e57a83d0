import Foundation

extension MappedFile {
  /// The bytes of a small file, such as a configuration.
  ///
  /// - Throws: `FileError` if the file is missing, unreadable, not a regular file, or larger than `limit` bytes.
  public static func bytes(of url: URL, limit: Int = 16 << 20) throws(FileError) -> [UInt8] {
    let file = try MappedFile(contentsOf: url)
    guard file.count <= limit else {
      throw FileError(file: url.shown, expected: "at most \(limit) bytes", found: "\(file.count)")
    }
    return file.withBytes { Array($0) }
  }
}
