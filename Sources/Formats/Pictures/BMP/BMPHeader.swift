/// The headers of a BMP file: BITMAPFILEHEADER and any of the information headers from OS/2 to version 5.
struct BMPHeader {
  enum Compression: Int { case none, rle8, rle4, bitFields }

  let width: Int
  let height: Int
  let isTopDown: Bool
  let bits: Int
  let compression: Compression
  /// The masks of red, green, blue and alpha, if the header has them.
  let masks: [UInt32]?
  let palette: IndexedColors
  /// The offset of the pixels in the file.
  let pixelOffset: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    var reader = PictureReader(bytes, from: 10)
    var offset = try reader.number(4, of: "the header")
    let size = try reader.number(4, of: "the header")
    guard [12, 40, 52, 56, 64, 108, 124].contains(size) else {
      throw .unsupported(expected: "a BMP header of 12, 40, 52, 56, 64, 108 or 124 bytes", found: "\(size)")
    }
    let isOld = size == 12
    var fields = PictureReader(try reader.take(size - 4, of: "the header"))
    let width = try fields.number(isOld ? 2 : 4, of: "the header")
    let signed = try fields.number(isOld ? 2 : 4, of: "the header")
    // A negative height means that the top row comes first. Pillow looks at the highest byte only.
    isTopDown = !isOld && signed >> 24 == 0xFF
    let height = isTopDown ? 1 << 32 - signed : signed
    try Image.checkSize(width: width, height: height)
    (self.width, self.height) = (width, height)
    _ = try fields.number(2, of: "the header")
    bits = try fields.number(2, of: "the header")
    guard [1, 4, 8, 16, 24, 32].contains(bits) else {
      throw .unsupported(expected: "1, 4, 8, 16, 24 or 32 bits per pixel", found: "\(bits)")
    }
    var (code, colors) = (0, 0)
    if !isOld {
      code = try fields.number(4, of: "the header")
      _ = try fields.take(12, of: "the header")
      colors = try fields.number(4, of: "the header")
      // How many of them are important.
      _ = try fields.take(4, of: "the header")
    }
    guard let compression = Compression(rawValue: code) else {
      throw .unsupported(expected: "BMP compression 0 to 3", found: "\(code)")
    }
    self.compression = compression
    switch compression {
    case .none: masks = nil
    case .rle8, .rle4:
      let expected = compression == .rle8 ? 8 : 4
      guard bits == expected else {
        throw .malformed(expected: "\(expected) bits per pixel with this compression", found: "\(bits)")
      }
      masks = nil
    case .bitFields: masks = try Self.masks(size, &fields, after: &reader)
    }
    if colors == 0 { colors = 1 << min(bits, 8) }
    palette = bits > 8 ? .gray : try Self.palette(colors, step: isOld ? 3 : 4, &reader)
    // Some writers give the offset of the palette, others none.
    if bits <= 8, offset == 14 + size { offset += colors * (isOld ? 3 : 4) }
    pixelOffset = offset == 0 ? reader.position : offset
  }

  /// The masks, in the header or, where it is too short for them, after it.
  private static func masks(
    _ size: Int, _ fields: inout PictureReader, after header: inout PictureReader
  ) throws(ImageError.Problem) -> [UInt32] {
    var masks: [UInt32] = []
    for _ in 0..<(size >= 56 ? 4 : 3) {
      let mask = try size >= 52 ? fields.number(4, of: "the header") : header.number(4, of: "the colour masks")
      masks.append(UInt32(mask))
    }
    return masks.count == 4 ? masks : masks + [0]
  }

  private static func palette(
    _ colors: Int, step: Int, _ reader: inout PictureReader
  ) throws(ImageError.Problem) -> IndexedColors {
    guard 1...65_536 ~= colors else { throw .malformed(expected: "1 to 65536 colours", found: "\(colors)") }
    // Small files may leave out the end of a palette.
    let palette = try reader.take(min(colors * step, reader.remaining), of: "the palette")
    if IndexedColors.isGray(palette, step: step) { return .gray }
    return IndexedColors(palette, step: step, red: 2, green: 1, blue: 0)
  }

  /// Bytes of an uncompressed row.
  var rowBytes: Int { (width * bits + 31) / 32 * 4 }
}
