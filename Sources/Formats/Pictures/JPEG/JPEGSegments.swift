/// The segments of a JPEG file: a marker, a length, and data (ITU-T T.81, section B.1.1.4).
struct JPEGSegments {
  let bytes: UnsafeBufferPointer<UInt8>
  /// The position from which the next marker is searched.
  var position: Int

  /// The next marker at or after `start`: its code and position. Other bytes before it, and fill bytes,
  /// are skipped.
  static func marker(
    in bytes: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> (code: UInt8, start: Int)? {
    var index = start
    while index + 1 < bytes.count {
      if bytes[index] == 0xFF, bytes[index + 1] != 0xFF, bytes[index + 1] != 0 { return (bytes[index + 1], index) }
      index += 1
    }
    return nil
  }

  /// The code of the next marker; nil at the end of the file.
  mutating func nextMarker() -> UInt8? {
    guard let (code, start) = Self.marker(in: bytes, from: position) else {
      position = bytes.count
      return nil
    }
    position = start + 2
    return code
  }

  /// The data of the segment whose marker was just read.
  mutating func nextData(of marker: UInt8) throws(ImageError.Problem) -> UnsafeBufferPointer<UInt8> {
    let name = "segment \(String(marker, radix: 16, uppercase: true))"
    guard bytes.count - position >= 2 else { throw .truncated(in: name) }
    let length = Int(bytes[position]) << 8 | Int(bytes[position + 1])
    guard length >= 2 else { throw .malformed(expected: "a length of 2 or more for \(name)", found: "\(length)") }
    guard length <= bytes.count - position else { throw .truncated(in: name) }
    defer { position += length }
    return UnsafeBufferPointer(rebasing: bytes[position + 2..<position + length])
  }
}
