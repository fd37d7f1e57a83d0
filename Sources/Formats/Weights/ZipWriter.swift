import Tensor

/// An archive of stored entries (PKWARE's APPNOTE 6.3.9), as small as PyTorch's of plain values are.
package enum ZipWriter {
  /// The bytes of an archive; traps beyond 4 GB, for which the format has other records.
  package static func stored(_ entries: [(name: String, data: [UInt8])]) -> [UInt8] {
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, data) in entries {
      let offset = size(file.count)
      var common = littleEndian(UInt16(20)) + littleEndian(UInt16(0)) + littleEndian(UInt16(0))
      // Time and date: midnight of the first day of 1980, so that equal contents are equal files.
      common += littleEndian(UInt16(0)) + littleEndian(UInt16(0x21))
      common += littleEndian(data.withUnsafeBufferPointer { Checksum.crc32($0) })
      common += littleEndian(size(data.count)) + littleEndian(size(data.count))
      common += littleEndian(UInt16(name.utf8.count)) + littleEndian(UInt16(0))
      file += littleEndian(UInt32(0x0403_4b50))
      file += common
      file += name.utf8
      file += data
      directory += littleEndian(UInt32(0x0201_4b50)) + littleEndian(UInt16(20))
      directory += common
      // Comment, disk, attributes.
      directory += [UInt8](repeating: 0, count: 2 + 2 + 2 + 4)
      directory += littleEndian(offset)
      directory += name.utf8
    }
    let (start, count) = (size(file.count), UInt16(entries.count))
    file += directory
    file += littleEndian(UInt32(0x0605_4b50)) + littleEndian(UInt32(0))
    file += littleEndian(count) + littleEndian(count)
    file += littleEndian(size(directory.count)) + littleEndian(start)
    file += littleEndian(UInt16(0))
    return file
  }

  private static func size(_ count: Int) -> UInt32 {
    guard let size = UInt32(exactly: count) else { trap("ZipWriter: expected less than 4 GB, found \(count) bytes") }
    return size
  }
}
