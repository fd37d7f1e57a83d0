/// Expansion of uncompressed BMP rows to RGB; alpha is dropped.
struct BMPPixels {
  private enum Form {
    case indices
    /// Pixels of whole bytes, and the offsets of their channels.
    case bytes(step: Int, red: Int, green: Int, blue: Int)
    /// Pixels of 16 bits with blue in the lowest 5 and so many bits of green above.
    case packed(green: Int)
  }

  private let header: BMPHeader
  private let form: Form

  init(_ header: BMPHeader) throws(ImageError.Problem) {
    self.header = header
    form = try Self.form(header)
  }

  /// The masks that Pillow knows; other ones, which are rare, have no agreed scale to 8 bits.
  private static func form(_ header: BMPHeader) throws(ImageError.Problem) -> Form {
    guard let masks = header.masks else {
      switch header.bits {
      case 16: return .packed(green: 5)
      case 24: return .bytes(step: 3, red: 2, green: 1, blue: 0)
      case 32: return .bytes(step: 4, red: 2, green: 1, blue: 0)
      default: return .indices
      }
    }
    switch (header.bits, masks[0], masks[1], masks[2]) {
    case (16, 0xF800, 0x7E0, 0x1F): return .packed(green: 6)
    case (16, 0x7C00, 0x3E0, 0x1F): return .packed(green: 5)
    case (24, 0xFF0000, 0xFF00, 0xFF): return .bytes(step: 3, red: 2, green: 1, blue: 0)
    case (32, 0xFF0000, 0xFF00, 0xFF) where [0, 0xFF00_0000].contains(masks[3]), (32, 0, 0, 0) where masks[3] == 0:
      return .bytes(step: 4, red: 2, green: 1, blue: 0)
    case (32, 0xFF00_0000, 0xFF0000, 0xFF00) where [0, 0xFF].contains(masks[3]):
      return .bytes(step: 4, red: 3, green: 2, blue: 1)
    case (32, 0xFF00_0000, 0xFF00, 0xFF) where [0, 0xFF0000].contains(masks[3]):
      return .bytes(step: 4, red: 3, green: 1, blue: 0)
    case (32, 0xFF, 0xFF00, 0xFF0000) where masks[3] == 0xFF00_0000:
      return .bytes(step: 4, red: 0, green: 1, blue: 2)
    default:
      let shown = masks.map { String($0, radix: 16) }.joined(separator: ", ")
      throw .unsupported(
        expected: "usual colour masks of 16, 24 or 32 bits per pixel", found: "\(shown) of \(header.bits)")
    }
  }

  /// Writes the pixels of a row.
  func expand(_ row: UnsafePointer<UInt8>, into rgb: UnsafeMutablePointer<UInt8>) {
    switch form {
    case .indices: expandIndices(row, into: rgb)
    case .bytes(let step, let red, let green, let blue):
      for index in 0..<header.width {
        let source = row + step * index
        rgb[3 * index] = source[red]
        rgb[3 * index + 1] = source[green]
        rgb[3 * index + 2] = source[blue]
      }
    case .packed(let green):
      let most = 1 << green - 1
      for index in 0..<header.width {
        let pixel = Int(row[2 * index]) | Int(row[2 * index + 1]) << 8
        rgb[3 * index] = UInt8((pixel >> (5 + green) & 31) * 255 / 31)
        rgb[3 * index + 1] = UInt8((pixel >> 5 & most) * 255 / most)
        rgb[3 * index + 2] = UInt8((pixel & 31) * 255 / 31)
      }
    }
  }

  private func expandIndices(_ row: UnsafePointer<UInt8>, into rgb: UnsafeMutablePointer<UInt8>) {
    let bits = header.bits
    guard bits < 8 else { return header.palette.expand(row, count: header.width, into: rgb) }
    // The first pixel is in the highest bits.
    let mask = UInt8(1 << bits - 1)
    let indices = (0..<header.width).map { (index: Int) -> UInt8 in
      let bit = index * bits
      let shift = 8 - bits - bit & 7
      return row[bit >> 3] >> UInt8(shift) & mask
    }
    header.palette.expand(indices, count: header.width, into: rgb)
  }
}
