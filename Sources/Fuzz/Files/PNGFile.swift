import Formats

/// The chunks of a PNG file.
struct PNGFile {
  struct Chunk {
    var type: [UInt8]
    var data: [UInt8]
  }

  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  var chunks: [Chunk] = []

  /// The whole chunks of some bytes.
  init(_ bytes: [UInt8]) {
    var position = Self.signature.count
    while position + 12 <= bytes.count {
      let count = bytes.big(position, 4)
      guard count <= bytes.count - position - 12 else { break }
      chunks.append(
        Chunk(
          type: Array(bytes[position + 4..<position + 8]), data: Array(bytes[position + 8..<position + 8 + count])))
      position += 12 + count
    }
  }

  /// The file, with right lengths and checksums.
  var bytes: [UInt8] {
    var file = Self.signature
    for chunk in chunks {
      let body = chunk.type + chunk.data
      file += Fuzz.big(UInt32(chunk.data.count)) + body
      file += Fuzz.big(body.withUnsafeBufferPointer { Checksum.crc32($0) })
    }
    return file
  }

  /// The indices of the chunks IDAT.
  var dataIndices: [Int] { chunks.indices.filter { chunks[$0].type == Array("IDAT".utf8) } }

  /// The compressed data, one chunk after replacing.
  var compressed: [UInt8] {
    get { dataIndices.flatMap { chunks[$0].data } }
    set {
      guard let first = dataIndices.first else { return }
      for index in dataIndices.dropFirst().reversed() { chunks.remove(at: index) }
      chunks[first].data = newValue
    }
  }

  /// The filtered rows; empty where they cannot be read.
  var rows: [UInt8] {
    get { (try? Inflate.decompress(compressed, container: .zlib, limit: 1 << 20, excess: .ignored)) ?? [] }
    set { compressed = Deflate.zlib(newValue) }
  }

  /// Deflate blocks in zlib's container, with the right checksum as far as they can be read.
  mutating func setBlocks(_ blocks: [UInt8]) {
    var file = CompressedFile(container: .zlib, plain: [])
    file.blocks = blocks
    compressed = Array(file.bytes.dropFirst())
  }
}
