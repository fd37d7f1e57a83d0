import Formats

/// The entries of a ZIP archive.
struct ZipFile {
  struct Entry {
    var name: [UInt8]
    var data: [UInt8]
    /// Compressed when it is written.
    var isDeflated = false
  }

  var entries: [Entry] = []

  /// The entries of a sound archive without ZIP64 offsets.
  init(_ bytes: [UInt8]) {
    guard bytes.count >= 22, let end = Self.endRecord(bytes) else { return }
    var position = bytes.little(end + 16, 4)
    for _ in 0..<bytes.little(end + 10, 2) where position + 46 <= bytes.count {
      let (method, packed) = (bytes.little(position + 10, 2), bytes.little(position + 20, 4))
      let names = bytes.little(position + 28, 2)
      let local = bytes.little(position + 42, 4)
      guard position + 46 + names <= bytes.count, local + 30 <= bytes.count else { return }
      let start = local + 30 + bytes.little(local + 26, 2) + bytes.little(local + 28, 2)
      let name = Array(bytes[position + 46..<position + 46 + names])
      position += 46 + names + bytes.little(position + 30, 2) + bytes.little(position + 32, 2)
      guard start <= bytes.count, packed <= bytes.count - start else { continue }
      let data = Array(bytes[start..<start + packed])
      let plain =
        method == 0
        ? data : (try? Inflate.decompress(data, container: .raw, limit: 1 << 20, excess: .ignored)) ?? []
      entries.append(Entry(name: name, data: plain, isDeflated: method == 8))
    }
  }

  private static func endRecord(_ bytes: [UInt8]) -> Int? {
    stride(from: bytes.count - 22, through: 0, by: -1).first { bytes[$0..<$0 + 4] == [0x50, 0x4B, 5, 6] }
  }

  /// The archive, with right lengths, offsets and checksums.
  var bytes: [UInt8] {
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for entry in entries {
      let data = entry.isDeflated ? CompressedFile.deflated(entry.data) : entry.data
      let sum = entry.data.withUnsafeBufferPointer { Checksum.crc32($0) }
      var common = Fuzz.little(UInt16(20)) + Fuzz.little(UInt16(0)) + Fuzz.little(UInt16(entry.isDeflated ? 8 : 0))
      common += Fuzz.little(UInt32(0)) + Fuzz.little(sum)
      common += Fuzz.little(UInt32(data.count)) + Fuzz.little(UInt32(entry.data.count))
      common += Fuzz.little(UInt16(truncatingIfNeeded: entry.name.count)) + Fuzz.little(UInt16(0))
      directory += Fuzz.little(UInt32(0x0201_4B50)) + Fuzz.little(UInt16(20)) + common
      directory += [UInt8](repeating: 0, count: 10) + Fuzz.little(UInt32(file.count)) + entry.name
      file += Fuzz.little(UInt32(0x0403_4B50)) + common + entry.name + data
    }
    let (start, count) = (file.count, UInt16(entries.count))
    file += directory
    file += Fuzz.little(UInt32(0x0605_4B50)) + Fuzz.little(UInt32(0)) + Fuzz.little(count) + Fuzz.little(count)
    return file + Fuzz.little(UInt32(directory.count)) + Fuzz.little(UInt32(start)) + Fuzz.little(UInt16(0))
  }
}
