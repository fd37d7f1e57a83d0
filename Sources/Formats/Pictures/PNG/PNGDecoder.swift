import Tensor

/// A decoder for PNG files (ISO/IEC 15948): every colour type and bit depth, interlaced or not.
///
/// As forgiving as Pillow with its defaults: unknown chunks are skipped; chunks before the image must be whole, those
/// of the image follow one another, and their checksums are not looked at; nothing need follow the last row; rows that
/// the compressed data end before are zero, and `Image.lack` says so.
struct PNGDecoder {
  private var chunks: PNGChunks
  private var palette: [UInt8]?
  private var stated = StatedOrientation()
  /// True for a file of Apple's tools: without zlib's header, in another order of colours. Pillow reads none of them.
  private var isApples = false
  /// The data of the chunks IDAT, where it is in the file.
  private var compressed: [UnsafeBufferPointer<UInt8>] = []

  init(_ bytes: UnsafeBufferPointer<UInt8>) { chunks = PNGChunks(bytes) }

  mutating func decode() throws(ImageError.Problem) -> Image {
    let header = try readHeaders()
    try readData()
    if header.color == .palette, palette == nil { throw .malformed(expected: "a chunk PLTE", found: "none") }

    let rows = PNGRows(
      header: header, expansion: PNGPixels(header: header, palette: palette ?? []))
    var missing = 0
    let pixels = try withData { (data) throws(ImageError.Problem) in
      try rows.pixels(inflating: data, missing: &missing, isApples: isApples)
    }
    var image = Image(width: header.width, height: header.height, pixels: pixels, orientation: stated.orientation)
    if missing > 0 { image.lack = "\(missing) of \(rows.lineCount) rows" }
    return image
  }

  /// The chunks before the image.
  private mutating func readHeaders() throws(ImageError.Problem) -> PNGHeader {
    var header: PNGHeader?
    while chunks.nextType != "IDAT" {
      guard let chunk = chunks.next(needsChecksum: true) else {
        if chunks.found == "the end of the file" { throw .truncated(in: "the header") }
        throw .malformed(expected: "a chunk type of four letters", found: chunks.found)
      }
      if chunk.type == "IEND" { throw .malformed(expected: "a chunk IDAT", found: "none") }
      try chunk.check()
      switch chunk.type {
      case "IHDR": header = try PNGHeader(chunk.data)
      case "PLTE": palette = try Self.palette(chunk.data)
      case "eXIf": stated.exif = Orientation(exif: chunk.data)
      case "iTXt": readText(chunk.data)
      case "CgBI": isApples = true
      default: break
      }
    }
    guard let header else { throw .malformed(expected: "chunk IHDR", found: "IDAT") }
    return header
  }

  /// The image, in chunks that follow one another, and what comes after it.
  private mutating func readData() throws(ImageError.Problem) {
    while chunks.nextType == "IDAT", let chunk = chunks.next(needsChecksum: false) {
      if !chunk.data.isEmpty { compressed.append(chunk.data) }
    }
    guard !compressed.isEmpty else { throw .malformed(expected: "data in chunk IDAT", found: "none") }
    while let chunk = chunks.next(needsChecksum: false), chunk.type != "IEND" {
      guard chunk.isWhole else { throw .truncated(in: "chunk \(chunk.type)") }
      if chunk.type == "eXIf" { stated.exif = Orientation(exif: chunk.data) }
      if chunk.type == "iTXt" { readText(chunk.data) }
    }
  }

  /// XMP data: a keyword, whether the text is compressed, the method, a language and a translated keyword, the text.
  private mutating func readText(_ data: UnsafeBufferPointer<UInt8>) {
    let keyword = Array("XML:com.adobe.xmp\0".utf8)
    guard data.starts(with: keyword) else { return }
    let (flags, rest) = (data.dropFirst(keyword.count).prefix(2), data.dropFirst(keyword.count + 2))
    let parts = rest.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    guard let isCompressed = flags.first.map({ $0 != 0 }), parts.count == 3 else { return }
    if isCompressed {
      // Beyond any metadata that cameras write; damaged text has no orientation.
      let text = try? Inflate.decompress(Array(parts[2]), container: .zlib, limit: 1 << 20)
      stated.xmp = text.flatMap { Orientation(xmp: $0) }
    } else {
      stated.xmp = Orientation(xmp: parts[2])
    }
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

  private static func palette(_ data: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) -> [UInt8] {
    guard 3...768 ~= data.count else {
      throw .malformed(expected: "a palette of 1 to 256 colours of 3 bytes", found: "\(data.count) bytes")
    }
    // Without the bytes of half a colour, as Pillow.
    let colors = data.prefix(data.count / 3 * 3)
    return Array(colors) + Array(repeating: 0, count: 768 - colors.count)
  }
}
