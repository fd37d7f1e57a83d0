import Tensor

/// A decoder for PNG files (ISO/IEC 15948): every colour type and bit depth, interlaced or not.
struct PNGDecoder {
  private var chunks: PNGChunks
  private var palette: [UInt8]?
  private var orientation = Orientation.upright
  /// The data of the chunks IDAT, where it is in the file.
  private var compressed: [UnsafeBufferPointer<UInt8>] = []

  init(_ bytes: UnsafeBufferPointer<UInt8>) { chunks = PNGChunks(bytes) }

  mutating func decode() throws(ImageError.Problem) -> Image {
    guard let first = try chunks.next() else { throw .truncated(in: "the header") }
    guard first.type == "IHDR" else { throw .malformed(expected: "chunk IHDR", found: first.type) }
    let header = try PNGHeader(first.data)
    // A missing IEND loses nothing; Pillow accepts it, too.
    reading: while let chunk = try chunks.next() {
      switch chunk.type {
      case "IDAT": if !chunk.data.isEmpty { compressed.append(chunk.data) }
      case "PLTE": palette = try Self.palette(chunk.data)
      case "IEND": break reading
      case "eXIf": orientation = Orientation(exif: chunk.data)
      default:
        guard chunk.isAncillary else {
          throw .unsupported(expected: "critical chunks IHDR, PLTE, IDAT and IEND", found: chunk.type)
        }
      }
    }
    guard !compressed.isEmpty else { throw .malformed(expected: "a chunk IDAT", found: "none") }
    if header.color == .palette, palette == nil { throw .malformed(expected: "a chunk PLTE", found: "none") }

    let rows = PNGRows(
      header: header, expansion: PNGPixels(header: header, palette: palette ?? []))
    let pixels = try withData { (data) throws(ImageError.Problem) in
      let filtered = try Self.inflate(data, expected: rows.count)
      return try rows.pixels(filtered.written)
    }
    return Image(width: header.width, height: header.height, pixels: pixels, orientation: orientation)
  }

  /// Calls `body` with the compressed data; only that of several chunks is put together first.
  private func withData<Result>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) -> Result
  ) throws(ImageError.Problem) -> Result {
    guard compressed.count > 1 else { return try body(compressed[0]) }
    var whole: [UInt8] = []
    whole.reserveCapacity(compressed.reduce(0) { $0 + $1.count })
    for part in compressed { whole += part }
    return try whole.withUnsafeBufferPointer(body)
  }

  private static func inflate(
    _ compressed: UnsafeBufferPointer<UInt8>, expected: Int
  ) throws(ImageError.Problem) -> InflateOutput {
    let filtered: InflateOutput
    do {
      // Anything after the image's rows is ignored.
      filtered = try Inflate.output(of: compressed, container: .zlib, limit: expected, excess: .ignored)
    } catch .truncated {
      throw .truncated(in: "the compressed data")
    } catch {
      throw .malformed(expected: "zlib data", found: error.description)
    }
    guard filtered.count == expected else {
      throw .malformed(expected: "\(expected) bytes of rows", found: "\(filtered.count)")
    }
    return filtered
  }

  private static func palette(_ data: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) -> [UInt8] {
    guard data.count % 3 == 0, 3...768 ~= data.count else {
      throw .malformed(expected: "a palette of 1 to 256 colours of 3 bytes", found: "\(data.count) bytes")
    }
    return Array(data) + Array(repeating: 0, count: 768 - data.count)
  }
}
