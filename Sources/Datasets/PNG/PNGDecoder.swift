import Tensor

/// A decoder for PNG files (ISO/IEC 15948): every colour type and bit depth, interlaced or not.
struct PNGDecoder {
  private var chunks: PNGChunks
  private let sixteenBitGray: Image.SixteenBitGray
  private var palette: [UInt8]?
  private var orientation = Orientation.upright
  private var compressed: [UInt8] = []

  init(_ bytes: UnsafeBufferPointer<UInt8>, sixteenBitGray: Image.SixteenBitGray) {
    chunks = PNGChunks(bytes)
    self.sixteenBitGray = sixteenBitGray
  }

  mutating func decode() throws(ImageError.Problem) -> Image {
    guard let first = try chunks.next() else { throw .truncated(in: "the header") }
    guard first.type == "IHDR" else { throw .malformed(expected: "chunk IHDR", found: first.type) }
    let header = try PNGHeader(first.data)
    // A missing IEND loses nothing; Pillow does without, too.
    reading: while let chunk = try chunks.next() {
      switch chunk.type {
      case "IDAT": compressed += chunk.data
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

    let expected = header.passes.reduce(0) { $0 + $1.height * (1 + header.rowBytes(width: $1.width)) }
    var filtered = try inflate(expected)
    let pixels = try Self.pixels(
      &filtered, header,
      PNGPixels(header: header, palette: palette ?? [], sixteenBitGray: sixteenBitGray))
    return Image(width: header.width, height: header.height, pixels: pixels, orientation: orientation)
  }

  private func inflate(_ expected: Int) throws(ImageError.Problem) -> [UInt8] {
    let filtered: [UInt8]
    do {
      // What follows the picture's rows is ignored, however much it is.
      filtered = try Inflate.decompress(compressed, container: .zlib, limit: expected, excess: .ignored)
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

  private static func pixels(
    _ filtered: inout [UInt8], _ header: PNGHeader, _ expansion: PNGPixels
  ) throws(ImageError.Problem) -> [UInt8] {
    var pixels = [UInt8](repeating: 0, count: header.width * header.height * 3)
    let zeros = [UInt8](repeating: 0, count: header.rowBytes(width: header.width))
    try pixels.withUnsafeMutableBufferPointer { (pixels) throws(ImageError.Problem) in
      try filtered.withUnsafeMutableBufferPointer { (filtered) throws(ImageError.Problem) in
        try zeros.withUnsafeBufferPointer { (zeros) throws(ImageError.Problem) in
          var line = filtered.baseAddress!
          for pass in header.passes {
            var above = zeros.baseAddress!
            let count = header.rowBytes(width: pass.width)
            for row in 0..<pass.height {
              try PNGFilter.reconstruct(
                line + 1, above: above, count: count, step: max(1, header.pixelBits / 8), filter: line[0])
              let place = (pass.firstRow + row * pass.rowStep) * header.width + pass.firstColumn
              expansion.expand(
                line + 1, count: pass.width, into: pixels.baseAddress! + 3 * place, step: 3 * pass.columnStep)
              above = UnsafePointer(line + 1)
              line += 1 + count
            }
          }
        }
      }
    }
    return pixels
  }
}
