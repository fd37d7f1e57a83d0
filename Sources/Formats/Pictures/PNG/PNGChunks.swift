import Tensor

/// The chunks of a PNG file: length, type, data, checksum (ISO/IEC 15948, section 5.3).
struct PNGChunks {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  struct Chunk {
    let type: String
    let data: UnsafeBufferPointer<UInt8>
    /// True if a reader that does not know the chunk may skip it.
    let isAncillary: Bool
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = PNGChunks.signature.count

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The next chunk; nil at the end of the file.
  ///
  /// - Throws: if the chunk is truncated, or if it is critical and its checksum is wrong.
  mutating func next() throws(ImageError.Problem) -> Chunk? {
    guard position < bytes.count else { return nil }
    guard bytes.count - position >= 8 else { throw .truncated(in: "a chunk header") }
    let length = Int(Self.word(bytes, at: position))
    let type = UnsafeBufferPointer(rebasing: bytes[position + 4..<position + 8])
    guard type.allSatisfy({ 65...90 ~= $0 || 97...122 ~= $0 }) else {
      throw .malformed(expected: "a chunk type of four letters", found: "\(Array(type))")
    }
    let name = String(decoding: type, as: UTF8.self)
    guard length <= Int(Int32.max) else {
      throw .malformed(expected: "a chunk \(name) below 2 GiB", found: "\(length) bytes")
    }
    guard bytes.count - position >= 12 + length else { throw .truncated(in: "chunk \(name)") }
    let isAncillary = type[0] & 0x20 != 0
    let stored = Self.word(bytes, at: position + 8 + length)
    let found = Checksum.crc32(UnsafeBufferPointer(rebasing: bytes[position + 4..<position + 8 + length]))
    guard stored == found || isAncillary else {
      throw .malformed(
        expected: "checksum \(String(stored, radix: 16)) of chunk \(name)", found: String(found, radix: 16))
    }
    defer { position += 12 + length }
    return Chunk(
      type: name, data: UnsafeBufferPointer(rebasing: bytes[position + 8..<position + 8 + length]),
      isAncillary: isAncillary)
  }

  /// The 32-bit number at `position`, highest byte first.
  static func word(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[position + $1]) }
  }
}
