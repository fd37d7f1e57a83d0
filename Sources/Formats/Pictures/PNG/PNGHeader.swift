/// The header chunk of a PNG file (ISO/IEC 15948, section 11.2.2).
struct PNGHeader {
  enum ColorType: UInt8 {
    case gray = 0
    case rgb = 2
    case palette = 3
    case grayAlpha = 4
    case rgbAlpha = 6

    var channels: Int {
      switch self {
      case .gray, .palette: 1
      case .grayAlpha: 2
      case .rgb: 3
      case .rgbAlpha: 4
      }
    }

    var bitDepths: [Int] {
      switch self {
      case .gray: [1, 2, 4, 8, 16]
      case .palette: [1, 2, 4, 8]
      case .rgb, .grayAlpha, .rgbAlpha: [8, 16]
      }
    }
  }

  let width: Int
  let height: Int
  let bitDepth: Int
  let color: ColorType
  let isInterlaced: Bool

  init(_ data: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    guard data.count == 13 else { throw .malformed(expected: "a header of 13 bytes", found: "\(data.count)") }
    width = Int(PNGChunks.word(data, at: 0))
    height = Int(PNGChunks.word(data, at: 4))
    try Image.checkSize(width: width, height: height)
    bitDepth = Int(data[8])
    guard let color = ColorType(rawValue: data[9]) else {
      throw .malformed(expected: "colour type 0, 2, 3, 4 or 6", found: "\(data[9])")
    }
    self.color = color
    guard color.bitDepths.contains(bitDepth) else {
      throw .malformed(
        expected: "bit depth \(color.bitDepths) for colour type \(color.rawValue)", found: "\(bitDepth)")
    }
    guard data[10] == 0 else { throw .unsupported(expected: "compression method 0", found: "\(data[10])") }
    guard data[11] == 0 else { throw .unsupported(expected: "filter method 0", found: "\(data[11])") }
    guard data[12] <= 1 else { throw .unsupported(expected: "interlace method 0 or 1", found: "\(data[12])") }
    isInterlaced = data[12] == 1
  }

  /// Bits of one pixel.
  var pixelBits: Int { color.channels * bitDepth }

  /// Bytes of a row of `width` pixels, without its filter byte.
  func rowBytes(width: Int) -> Int { (width * pixelBits + 7) / 8 }

  /// The reduced images in the data, one after another: the whole, or the seven of Adam7
  /// (section 8.2). Those without pixels are skipped.
  var passes: [PNGPass] {
    guard isInterlaced else {
      return [PNGPass(width: width, height: height, firstColumn: 0, columnStep: 1, firstRow: 0, rowStep: 1)]
    }
    let origins = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
    return origins.compactMap { column, columnStep, row, rowStep in
      guard width > column, height > row else { return nil }
      return PNGPass(
        width: (width - column + columnStep - 1) / columnStep, height: (height - row + rowStep - 1) / rowStep,
        firstColumn: column, columnStep: columnStep, firstRow: row, rowStep: rowStep)
    }
  }
}

/// One reduced image of an interlaced file, and the positions of its pixels.
struct PNGPass {
  let width: Int
  let height: Int
  let firstColumn: Int
  let columnStep: Int
  let firstRow: Int
  let rowStep: Int
}
