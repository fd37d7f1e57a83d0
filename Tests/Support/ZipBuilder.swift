import Formats
import Tensor

/// An archive written field by field, so that each field can be wrong.
package struct ZipBuilder: Sendable {
  /// One entry and what its headers claim.
  package struct Entry: Sendable {
    /// Its name.
    package var name: [UInt8]
    /// The data as they lie in the file.
    package var data: [UInt8]
    /// What the central header says.
    package var method: UInt16 = 0
    /// The general purpose bits.
    package var flags: UInt16 = 0
    /// The CRC-32 that is claimed for the contents.
    package var checksum: UInt32
    /// The claimed length of the contents.
    package var size: UInt64
    /// The claimed length of the data.
    package var compressedSize: UInt64
    /// The number of the disk on which it is said to begin.
    package var disk: UInt16 = 0
    /// Whether sizes and offset stand in a ZIP64 extra field.
    package var isWide = false
    /// What the local header is called; `nil` for the same name.
    package var localName: [UInt8]?
    /// Where the local header is said to be; `nil` for where it is.
    package var offset: UInt64?

    /// A stored entry.
    package init(_ name: String, _ data: [UInt8]) {
      self.name = Array(name.utf8)
      self.data = data
      checksum = data.withUnsafeBufferPointer { Checksum.crc32($0) }
      size = UInt64(data.count)
      compressedSize = size
    }

    /// The same contents in a deflate stream of stored blocks.
    package func deflated() -> Entry {
      var entry = self
      entry.method = 8
      entry.data = []
      var rest = data[...]
      repeat {
        let block = rest.prefix(0xffff)
        rest = rest.dropFirst(block.count)
        entry.data += [rest.isEmpty ? 1 : 0] + bytes(UInt16(block.count)) + bytes(~UInt16(block.count)) + block
      } while !rest.isEmpty
      entry.compressedSize = UInt64(entry.data.count)
      return entry
    }

    /// The same with sizes that only the central directory and a descriptor behind the data hold.
    package func streamed() -> Entry {
      var entry = self
      entry.flags |= 8
      return entry
    }

    /// The same with its sizes and offset in a ZIP64 extra field.
    package func wide() -> Entry {
      var entry = self
      entry.isWide = true
      return entry
    }
  }

  /// The entries, in order.
  package var entries: [Entry]
  /// Bytes before the first entry.
  package var prefix: [UInt8] = []
  /// The comment at the end.
  package var comment: [UInt8] = []
  /// Whether there is a ZIP64 end record.
  package var isWide = false
  /// What the end record claims besides the truth.
  package var surplusCount = 0
  /// By how much the end record overstates the length of the central directory.
  package var surplusSize = 0

  /// An archive of entries.
  package init(_ entries: [Entry]) { self.entries = entries }

  /// The file.
  package var file: [UInt8] {
    var file = prefix
    var directory: [UInt8] = []
    for entry in entries {
      let start = UInt64(file.count)
      let isStreamed = entry.flags & 8 != 0
      let name = entry.localName ?? entry.name
      file += bytes(UInt32(0x0403_4b50)) + bytes(UInt16(45)) + bytes(entry.flags) + bytes(entry.method)
      file += bytes(UInt32(0)) + bytes(isStreamed ? 0 : entry.checksum)
      file += Self.sizes(isStreamed ? 0 : entry.compressedSize, isStreamed ? 0 : entry.size, entry.isWide)
      let extra =
        entry.isWide ? bytes(UInt16(1)) + bytes(UInt16(16)) + bytes(entry.size) + bytes(entry.compressedSize) : []
      file += bytes(UInt16(name.count)) + bytes(UInt16(extra.count)) + name + extra + entry.data
      if isStreamed {
        file += bytes(UInt32(0x0807_4b50)) + bytes(entry.checksum)
        file += Self.sizes(entry.compressedSize, entry.size, false)
      }
      let offset = entry.offset ?? start
      directory += bytes(UInt32(0x0201_4b50)) + bytes(UInt16(45)) + bytes(UInt16(45)) + bytes(entry.flags)
      directory += bytes(entry.method) + bytes(UInt32(0)) + bytes(entry.checksum)
      directory += Self.sizes(entry.compressedSize, entry.size, entry.isWide)
      let field = bytes(entry.size) + bytes(entry.compressedSize) + bytes(offset)
      // A field that is to be skipped stands before the one that counts.
      let wide = [0x99, 0x99, 2, 0, 7, 7] + bytes(UInt16(1)) + bytes(UInt16(field.count)) + field
      directory += bytes(UInt16(entry.name.count)) + bytes(UInt16(entry.isWide ? wide.count : 0)) + bytes(UInt16(0))
      directory += bytes(entry.disk) + [UInt8](repeating: 0, count: 6)
      directory += bytes(entry.isWide ? .max : UInt32(truncatingIfNeeded: offset)) + entry.name
      directory += entry.isWide ? wide : []
    }
    let (start, count) = (file.count, entries.count + surplusCount)
    let size = directory.count + surplusSize
    file += directory
    if isWide {
      let record = UInt64(file.count)
      file += bytes(UInt32(0x0606_4b50)) + bytes(UInt64(44)) + bytes(UInt16(45)) + bytes(UInt16(45))
      file +=
        bytes(UInt64(0)) + bytes(UInt64(count)) + bytes(UInt64(count)) + bytes(UInt64(size)) + bytes(UInt64(start))
      file += bytes(UInt32(0x0706_4b50)) + bytes(UInt32(0)) + bytes(record) + bytes(UInt32(1))
    }
    file += bytes(UInt32(0x0605_4b50)) + bytes(UInt32(0))
    file += bytes(isWide ? UInt16.max : UInt16(count)) + bytes(isWide ? UInt16.max : UInt16(count))
    file += bytes(isWide ? UInt32.max : UInt32(size)) + bytes(isWide ? UInt32.max : UInt32(start))
    return file + bytes(UInt16(comment.count)) + comment
  }

  private static func sizes(_ compressed: UInt64, _ size: UInt64, _ isWide: Bool) -> [UInt8] {
    isWide
      ? bytes(UInt32.max) + bytes(UInt32.max)
      : bytes(UInt32(truncatingIfNeeded: compressed)) + bytes(UInt32(truncatingIfNeeded: size))
  }
}

/// The bytes of an integer, the lowest first.
package func bytes(_ integer: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: integer.littleEndian, Array.init)
}
