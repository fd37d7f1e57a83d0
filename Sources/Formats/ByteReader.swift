/// Little-endian integers and runs of bytes, one after another and never past the end.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) { (self.bytes, self.position) = (bytes, position) }

  /// The number of remaining bytes.
  var remaining: Int { bytes.count - position }

  /// The next integer; `what` names it in the error.
  mutating func integer<Integer: FixedWidthInteger>(
    _ type: Integer.Type, _ what: @autoclosure () -> String
  ) throws(FormatProblem) -> Integer {
    let size = MemoryLayout<Integer>.size
    guard size <= remaining else { throw FormatProblem(expected: what(), found: "the end of the data") }
    defer { position += size }
    return Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
  }

  /// The next `count` bytes; `what` names them in the error.
  mutating func take(
    _ count: some BinaryInteger, _ what: @autoclosure () -> String
  ) throws(FormatProblem) -> UnsafeRawBufferPointer {
    guard let count = Int(exactly: count), 0...remaining ~= count else {
      throw FormatProblem(
        expected: "\(what()) of \(count) bytes", found: "\(remaining) bytes until the end of the data")
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }
}
