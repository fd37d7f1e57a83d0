import Tensor

/// A decoder for the first frame of GIF files (CompuServe, GIF87a and GIF89a).
///
/// The frame lies on a screen that may be larger; around it is the transparent colour if the frame has one, and else
/// colour 0, as in Pillow. Transparency itself is dropped.
struct GIFDecoder {
  static let signatures = [Array("GIF87a".utf8), Array("GIF89a".utf8)]

  private var reader: PictureReader
  private var colors = IndexedColors.gray
  private var transparent: UInt8?
  private var screen = (width: 0, height: 0)

  init(_ bytes: UnsafeBufferPointer<UInt8>) { reader = PictureReader(bytes, from: 6) }

  mutating func decode() throws(ImageError.Problem) -> Image {
    screen.width = try reader.number(2, of: "the header")
    screen.height = try reader.number(2, of: "the header")
    let flags = try reader.byte(of: "the header")
    _ = try reader.take(2, of: "the header")
    try readPalette(flags)
    while true {
      switch try reader.byte(of: "the blocks before the first frame") {
      case 0x2C: return try frame()
      case 0x21: try readExtension()
      case 0x3B: throw .malformed(expected: "a frame", found: "the end of the GIF data")
      // Pillow skips whatever is between blocks.
      default: continue
      }
    }
  }

  private mutating func readPalette(_ flags: UInt8) throws(ImageError.Problem) {
    guard flags & 0x80 != 0 else { return }
    let palette = try reader.take(3 << (Int(flags & 7) + 1), of: "the palette")
    // Pillow lets a local palette of grey levels pass for none, even where there is a global one of colours.
    guard !IndexedColors.isGray(palette, step: 3) else { return }
    colors = IndexedColors(palette, step: 3, red: 0, green: 1, blue: 2)
  }

  /// An extension: a label and blocks, of which only the transparent colour of a graphic control is kept.
  private mutating func readExtension() throws(ImageError.Problem) {
    let label = try reader.byte(of: "an extension")
    var isFirst = true
    while true {
      let count = Int(try reader.byte(of: "an extension"))
      guard count > 0 else { return }
      let block = try reader.take(count, of: "an extension")
      if label == 0xF9, isFirst {
        guard count >= 4 else { throw .malformed(expected: "a graphic control of 4 bytes", found: "\(count)") }
        if block[0] & 1 != 0 { transparent = block[3] }
      }
      isFirst = false
    }
  }

  private mutating func frame() throws(ImageError.Problem) -> Image {
    let left = try reader.number(2, of: "the frame's header")
    let top = try reader.number(2, of: "the frame's header")
    let width = try reader.number(2, of: "the frame's header")
    let height = try reader.number(2, of: "the frame's header")
    let flags = try reader.byte(of: "the frame's header")
    try Image.checkSize(width: width, height: height)
    screen = (max(screen.width, left + width), max(screen.height, top + height))
    try Image.checkSize(width: screen.width, height: screen.height)
    try readPalette(flags)
    let bits = Int(try reader.byte(of: "the frame's header"))
    guard 1...8 ~= bits else { throw .malformed(expected: "a code size of 1 to 8 bits", found: "\(bits)") }
    var codes = GIFCodes(reader, bits: bits)
    let indices = try codes.indices(width * height)
    let rows = flags & 0x40 == 0 ? Array(0..<height) : Self.interlaced(height)
    return Image(
      width: screen.width, height: screen.height,
      pixels: pixels(of: indices, left: left, top: top, width: width, rows: rows))
  }

  /// The rows of an interlaced frame in the order of the file.
  private static func interlaced(_ height: Int) -> [Int] {
    [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { Array(stride(from: $0, to: height, by: $1)) }
  }

  /// [height, width, 3] of the screen.
  ///
  /// - rows: the row of the frame where each row of `indices` belongs.
  private func pixels(of indices: [UInt8], left: Int, top: Int, width: Int, rows: [Int]) -> [UInt8] {
    let (total, screenWidth) = (screen.width * screen.height, screen.width)
    return [UInt8](unsafeUninitializedCapacity: 3 * total) { pixels, count in
      let pixels = pixels.baseAddress!
      if width < screenWidth || rows.count < screen.height {
        let background = [UInt8](repeating: transparent ?? 0, count: screenWidth)
        for row in 0..<screen.height {
          colors.expand(background, count: screenWidth, into: pixels + 3 * row * screenWidth)
        }
      }
      indices.withUnsafeBufferPointer { indices in
        for (index, row) in rows.enumerated() {
          colors.expand(
            indices.baseAddress! + index * width, count: width,
            into: pixels + 3 * ((top + row) * screenWidth + left))
        }
      }
      count = 3 * total
    }
  }
}
