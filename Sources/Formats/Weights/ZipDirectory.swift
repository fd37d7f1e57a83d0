/// The central directory of a ZIP archive, checked against the file (APPNOTE 6.3, sections 4.3.7–4.3.16, 4.5.3).
struct ZipDirectory {
  private(set) var entries: [String: ZipEntry] = [:]

  /// The location of the directory, by an end record.
  private struct EndRecord {
    var count: UInt64
    var size: UInt64
    var offset: UInt64
    /// The limit for the offsets of entries and the end of the directory.
    var limit: Int
  }

  init(_ bytes: UnsafeRawBufferPointer) throws(FormatProblem) {
    let endRecord = try Self.endRecord(in: bytes)
    guard let start = Int(exactly: endRecord.offset), let size = Int(exactly: endRecord.size), start <= endRecord.limit,
      size <= endRecord.limit - start
    else {
      throw FormatProblem(
        expected: "a central directory before its end record at byte \(endRecord.limit)",
        found: "\(endRecord.size) bytes from byte \(endRecord.offset) on")
    }
    let directory = UnsafeRawBufferPointer(rebasing: bytes[..<(start + size)])
    var reader = ByteReader(directory, from: start)
    var found = 0
    while reader.remaining > 0 {
      let entry = try Self.entry(&reader, archive: UnsafeRawBufferPointer(rebasing: bytes[..<start]))
      guard entries.updateValue(entry, forKey: entry.name) == nil else {
        throw FormatProblem(expected: "each name once", found: "\(quoted(entry.name)) twice")
      }
      found += 1
    }
    guard found == endRecord.count else {
      throw FormatProblem(expected: "\(endRecord.count) entries in the central directory", found: "\(found)")
    }
    try checkOverlaps()
  }

  private static let endSize = 22
  private static let locatorSize = 20

  /// The end record comes last except for a comment of at most 65,535 bytes, whose length it states.
  private static func endRecord(in bytes: UnsafeRawBufferPointer) throws(FormatProblem) -> EndRecord {
    var position = bytes.count - endSize
    let lowest = max(0, position - 0xffff)
    while position >= lowest {
      var reader = ByteReader(bytes, from: position)
      if try reader.integer(UInt32.self, "a signature") == 0x0605_4b50 {
        var length = ByteReader(bytes, from: position + endSize - 2)
        if Int(try length.integer(UInt16.self, "a length")) == bytes.count - position - endSize {
          return try endRecord(&reader, at: position)
        }
      }
      position -= 1
    }
    throw FormatProblem(expected: "the end record of a ZIP archive", found: "none (file cut short?)")
  }

  private static func endRecord(_ reader: inout ByteReader, at position: Int) throws(FormatProblem) -> EndRecord {
    let disk = try reader.integer(UInt16.self, "a disk")
    let firstDisk = try reader.integer(UInt16.self, "a disk")
    let countHere = try reader.integer(UInt16.self, "a count")
    let count = try reader.integer(UInt16.self, "a count")
    let size = try reader.integer(UInt32.self, "a size")
    let offset = try reader.integer(UInt32.self, "an offset")
    let endRecord = EndRecord(count: UInt64(count), size: UInt64(size), offset: UInt64(offset), limit: position)
    if position >= locatorSize {
      var locator = ByteReader(reader.bytes, from: position - locatorSize)
      if try locator.integer(UInt32.self, "a signature") == 0x0706_4b50 {
        return try wide(&locator, agreeingWith: endRecord)
      }
    }
    guard disk == 0, firstDisk == 0, countHere == count else {
      throw FormatProblem(expected: "an archive of one disk", found: "one of several")
    }
    return endRecord
  }

  /// The ZIP64 end record, which holds what does not fit into the other one, whose fields are then all ones.
  private static func wide(
    _ locator: inout ByteReader, agreeingWith narrow: EndRecord
  ) throws(FormatProblem) -> EndRecord {
    let disk = try locator.integer(UInt32.self, "a disk")
    let offset = try locator.integer(UInt64.self, "an offset")
    let disks = try locator.integer(UInt32.self, "a number of disks")
    guard let position = Int(exactly: offset), position <= narrow.limit - locatorSize - 56 else {
      throw FormatProblem(expected: "a ZIP64 end record before its locator", found: "one at byte \(offset)")
    }
    var reader = ByteReader(locator.bytes, from: position)
    guard try reader.integer(UInt32.self, "a signature") == 0x0606_4b50 else {
      throw FormatProblem(expected: "a ZIP64 end record at byte \(offset)", found: "other bytes")
    }
    _ = try reader.take(12, "the size and versions of the ZIP64 end record")
    let ownDisk = try reader.integer(UInt32.self, "a disk")
    let firstDisk = try reader.integer(UInt32.self, "a disk")
    let countHere = try reader.integer(UInt64.self, "a count")
    let count = try reader.integer(UInt64.self, "a count")
    let size = try reader.integer(UInt64.self, "a size")
    let start = try reader.integer(UInt64.self, "an offset")
    guard disk == 0, disks <= 1, ownDisk == 0, firstDisk == 0, countHere == count else {
      throw FormatProblem(expected: "an archive of one disk", found: "one of several")
    }
    let pairs = [
      (narrow.count, UInt64(UInt16.max), count), (narrow.size, UInt64(UInt32.max), size),
      (narrow.offset, UInt64(UInt32.max), start),
    ]
    for (field, full, wide) in pairs where field != full && field != wide {
      throw FormatProblem(expected: "two end records that agree", found: "\(field) and \(wide)")
    }
    return EndRecord(count: count, size: size, offset: start, limit: position)
  }

  /// One central header, and the position of the data after the local one.
  private static func entry(
    _ reader: inout ByteReader, archive: UnsafeRawBufferPointer
  ) throws(FormatProblem) -> ZipEntry {
    guard try reader.integer(UInt32.self, "a central header") == 0x0201_4b50 else {
      throw FormatProblem(expected: "a central header at byte \(reader.position - 4)", found: "other bytes")
    }
    _ = try reader.take(4, "versions")
    let flags = try reader.integer(UInt16.self, "flags")
    let method = try reader.integer(UInt16.self, "a method")
    _ = try reader.take(4, "a date")
    let checksum = try reader.integer(UInt32.self, "a checksum")
    let compressed = try reader.integer(UInt32.self, "a size")
    let size = try reader.integer(UInt32.self, "a size")
    let nameLength = try reader.integer(UInt16.self, "a length")
    let extraLength = try reader.integer(UInt16.self, "a length")
    let commentLength = try reader.integer(UInt16.self, "a length")
    let disk = try reader.integer(UInt16.self, "a disk")
    _ = try reader.take(6, "attributes")
    let offset = try reader.integer(UInt32.self, "an offset")
    let nameBytes = try reader.take(nameLength, "a name")
    let extra = try reader.take(extraLength, "extra fields")
    _ = try reader.take(commentLength, "a comment")
    try CombiningMarks.check(nameBytes, "a name")
    guard let name = String(validating: nameBytes, as: UTF8.self) else {
      throw FormatProblem(
        expected: "names in UTF-8", found: quoted(String(decoding: nameBytes, as: UTF8.self)))
    }
    do throws(FormatProblem) {
      guard disk == 0 || disk == .max else {
        throw FormatProblem(expected: "an archive of one disk", found: "disk \(disk)")
      }
      let wide = try Self.wide([size, compressed, offset], extra)
      return ZipEntry(
        name: name, method: method, isEncrypted: flags & 0x2041 != 0, checksum: checksum,
        size: try contained(wide[0], "a size"),
        range: try range(of: nameBytes, at: wide[2], count: wide[1], in: archive))
    } catch {
      throw FormatProblem(expected: "\(error.expected) for entry \(quoted(name))", found: error.found)
    }
  }

  /// The fields whose 32 bits are all ones stand, in this order, in the ZIP64 extra field (section 4.5.3).
  private static func wide(_ fields: [UInt32], _ extra: UnsafeRawBufferPointer) throws(FormatProblem) -> [UInt64] {
    guard fields.contains(.max) else { return fields.map(UInt64.init) }
    var reader = ByteReader(extra)
    while reader.remaining >= 4 {
      let kind = try reader.integer(UInt16.self, "an extra field")
      let field = try reader.take(try reader.integer(UInt16.self, "a length"), "an extra field")
      guard kind == 1 else { continue }
      var values = ByteReader(field)
      var wide: [UInt64] = []
      for field in fields {
        wide.append(field == .max ? try values.integer(UInt64.self, "a complete ZIP64 extra field") : UInt64(field))
      }
      return wide
    }
    throw FormatProblem(expected: "a ZIP64 extra field", found: "none")
  }

  private static func contained(_ value: UInt64, _ what: String) throws(FormatProblem) -> Int {
    guard let value = Int(exactly: value) else {
      throw FormatProblem(expected: "\(what) below 2^63", found: "\(value)")
    }
    return value
  }

  /// The position of the data: after the local header, whose extra fields may be longer than the central ones.
  private static func range(
    of name: UnsafeRawBufferPointer, at offset: UInt64, count: UInt64, in archive: UnsafeRawBufferPointer
  ) throws(FormatProblem) -> Range<Int> {
    let start = try contained(offset, "an offset")
    guard start < archive.count else {
      throw FormatProblem(expected: "a local header before byte \(archive.count)", found: "one at byte \(start)")
    }
    var reader = ByteReader(archive, from: start)
    guard try reader.integer(UInt32.self, "a local header") == 0x0403_4b50 else {
      throw FormatProblem(expected: "a local header at byte \(start)", found: "other bytes")
    }
    _ = try reader.take(22, "a local header")
    let nameLength = try reader.integer(UInt16.self, "a length")
    let extraLength = try reader.integer(UInt16.self, "a length")
    let localName = try reader.take(nameLength, "a name")
    guard localName.elementsEqual(name) else {
      throw FormatProblem(
        expected: "the same name in the local header", found: quoted(String(decoding: localName, as: UTF8.self)))
    }
    _ = try reader.take(extraLength, "extra fields")
    let data = reader.position
    _ = try reader.take(count, "data")
    return data..<reader.position
  }

  /// Overlapping entries would let a small archive expand to any size.
  private func checkOverlaps() throws(FormatProblem) {
    var end = 0
    let inOrder = entries.values.filter { !$0.range.isEmpty }.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for entry in inOrder {
      guard entry.range.lowerBound >= end else {
        throw FormatProblem(expected: "entries that do not overlap", found: "overlap at \(quoted(entry.name))")
      }
      end = entry.range.upperBound
    }
  }
}
