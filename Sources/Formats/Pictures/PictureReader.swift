/// Bytes of a picture file, one after another and never past the end; numbers have their lowest byte first.
struct PictureReader {
  let bytes: UnsafeBufferPointer<UInt8>
  private(set) var position: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int = 0) {
    self.bytes = bytes
    self.position = min(position, bytes.count)
  }

  /// The number of remaining bytes.
  var remaining: Int { bytes.count - position }

  /// The next byte; `part` names what ends too early without it.
  mutating func byte(of part: @autoclosure () -> String) throws(ImageError.Problem) -> UInt8 {
    guard position < bytes.count else { throw .truncated(in: part()) }
    defer { position += 1 }
    return bytes[position]
  }

  /// The next number of `count` bytes, at most 4.
  mutating func number(_ count: Int, of part: @autoclosure () -> String) throws(ImageError.Problem) -> Int {
    let digits = try take(count, of: part())
    return (0..<count).reduce(0) { $0 | Int(digits[$1]) << (8 * $1) }
  }

  /// The next `count` bytes.
  mutating func take(
    _ count: Int, of part: @autoclosure () -> String
  ) throws(ImageError.Problem) -> UnsafeBufferPointer<UInt8> {
    guard count >= 0, count <= remaining else { throw .truncated(in: part()) }
    defer { position += count }
    return UnsafeBufferPointer(rebasing: bytes[position..<position + count])
  }
}
