import Tensor

/// The chunks of a PNG file: length, type, data, checksum (ISO/IEC 15948, section 5.3).
struct PNGChunks {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  struct Chunk {
    let type: String
    /// The data, as much of them as the file has.
    let data: UnsafeBufferPointer<UInt8>
    /// False if the file ends inside of the data.
    let isWhole: Bool
    /// True if a reader that does not know the chunk may skip it.
    let isAncillary: Bool
    /// The stored checksum and that of type and data; `nil` if the file ends before it.
    let checksums: (stored: UInt32, found: UInt32)?

    /// Refuses a chunk that is cut short, or whose checksum is wrong and that matters.
    func check() throws(ImageError.Problem) {
      guard isWhole, let checksums else { throw .truncated(in: "chunk \(type)") }
      guard checksums.stored == checksums.found || isAncillary else {
        throw .malformed(
          expected: "checksum \(String(checksums.stored, radix: 16)) of chunk \(type)",
          found: String(checksums.found, radix: 16))
      }
    }
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = PNGChunks.signature.count

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The next chunk; `nil` at the end of the file, or where what follows is none.
  ///
  /// - needsChecksum: false to leave the checksum alone: Pillow does not look at those of image data.
  mutating func next(needsChecksum: Bool) -> Chunk? {
    guard bytes.count - position >= 8 else { return nil }
    let length = Int(Self.word(bytes, at: position))
    let type = UnsafeBufferPointer(rebasing: bytes[position + 4..<position + 8])
    let name = String(decoding: type, as: UTF8.self)
    guard Self.isType(type) else { return nil }
    let end = min(position + 8 + length, bytes.count)
    let isWhole = end == position + 8 + length
    var checksums: (UInt32, UInt32)?
    if needsChecksum, isWhole, bytes.count - end >= 4 {
      let checked = UnsafeBufferPointer(rebasing: bytes[position + 4..<end])
      checksums = (Self.word(bytes, at: end), Checksum.crc32(checked))
    }
    defer { position = min(end + 4, bytes.count) }
    return Chunk(
      type: name, data: UnsafeBufferPointer(rebasing: bytes[position + 8..<end]), isWhole: isWhole,
      isAncillary: type[0] & 0x20 != 0, checksums: checksums)
  }

  /// The type of the next chunk; `nil` at the end of the file, or where what follows is no chunk.
  var nextType: String? {
    guard bytes.count - position >= 8 else { return nil }
    let type = UnsafeBufferPointer(rebasing: bytes[position + 4..<position + 8])
    return Self.isType(type) ? String(decoding: type, as: UTF8.self) : nil
  }

  /// What lies where a chunk was expected, for messages.
  var found: String {
    let rest = bytes.count - position
    if rest == 0 { return "the end of the file" }
    return rest < 8 ? "\(rest) bytes" : "bytes \(bytes[position + 4..<position + 8].map { String($0, radix: 16) })"
  }

  /// Letters by the standard; Pillow takes digits and underscores as well.
  private static func isType(_ type: UnsafeBufferPointer<UInt8>) -> Bool {
    type.allSatisfy { 65...90 ~= $0 || 97...122 ~= $0 || 48...57 ~= $0 || $0 == 95 }
  }

  /// The 32-bit number at `position`, highest byte first.
  static func word(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[position + $1]) }
  }
}
