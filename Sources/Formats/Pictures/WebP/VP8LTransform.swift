/// A reversible transform of a VP8L image (RFC 9649, section 3.5).
struct VP8LTransform {
  enum Kind: Int { case predictor, color, subtractGreen, palette }

  let kind: Kind
  /// The width of the image that the transform yields, and of the coded one; only a palette makes it narrower.
  let width, codedWidth: Int
  /// The base-2 logarithm of the side of a block, or of the pixels that share a coded one.
  private let bits: Int
  /// The parameters: a pixel for each block, or the colours.
  private let data: [UInt32]

  /// The number of blocks of 2^bits pixels along a side.
  static func blocks(_ size: Int, bits: Int) -> Int { (size + 1 << bits - 1) >> bits }

  init(_ reader: inout VP8LBitReader, width: Int, height: Int) throws(ImageError.Problem) {
    guard let kind = Kind(rawValue: try reader.bits(2)) else {
      throw .malformed(expected: "a transform from 0 to 3", found: "another")
    }
    (self.kind, self.width) = (kind, width)
    switch kind {
    case .predictor, .color:
      bits = try reader.bits(3) + 2
      codedWidth = width
      data = try VP8LPixels(
        &reader, width: Self.blocks(width, bits: bits), height: Self.blocks(height, bits: bits), isMain: false
      ).values
    case .subtractGreen: (bits, codedWidth, data) = (0, width, [])
    case .palette:
      let count = try reader.bits(8) + 1
      bits = count > 16 ? 0 : count > 4 ? 1 : count > 2 ? 2 : 3
      codedWidth = Self.blocks(width, bits: bits)
      var colors = try VP8LPixels(&reader, width: count, height: 1, isMain: false).values
      for index in 1..<max(1, count) { colors[index] = VP8LPredictor.sum(colors[index], colors[index - 1]) }
      // Indices beyond the colours are transparent black.
      data = colors + [UInt32](repeating: 0, count: 256 - count)
    }
  }

  /// Makes the image what it was before the transform.
  func invert(_ pixels: inout [UInt32]) {
    switch kind {
    case .predictor: VP8LPredictor.invert(&pixels, width: width, modes: data, bits: bits)
    case .color: invertColor(&pixels)
    case .subtractGreen:
      for index in pixels.indices {
        let green = pixels[index] >> 8 & 0xFF
        pixels[index] = VP8LPredictor.sum(pixels[index], green << 16 | green)
      }
    case .palette where bits == 0:
      // In place: another image would be twice as much memory.
      for index in pixels.indices { pixels[index] = data[Int(pixels[index] >> 8 & 0xFF)] }
    case .palette: pixels = expanded(pixels)
    }
  }

  private func invertColor(_ pixels: inout [UInt32]) {
    func delta(_ factor: UInt32, _ level: UInt32) -> UInt32 {
      let product = Int32(Int8(truncatingIfNeeded: factor)) * Int32(Int8(truncatingIfNeeded: level))
      return UInt32(truncatingIfNeeded: product >> 5)
    }
    let blocks = Self.blocks(width, bits: bits)
    for row in 0..<pixels.count / width {
      for column in 0..<width {
        // Green to red, green to blue, red to blue, from the lowest byte on.
        let factors = data[(row >> bits) * blocks + column >> bits]
        let pixel = pixels[row * width + column]
        let green = pixel >> 8
        let red = pixel >> 16 &+ delta(factors, green)
        let blue = pixel &+ delta(factors >> 8, green) &+ delta(factors >> 16, red)
        pixels[row * width + column] = pixel & 0xFF00_FF00 | (red & 0xFF) << 16 | blue & 0xFF
      }
    }
  }

  /// Colours by their indices, of which several share the green level of a pixel.
  private func expanded(_ packed: [UInt32]) -> [UInt32] {
    let height = packed.count / codedWidth
    let (size, mask) = (8 >> bits, UInt32(1 << (8 >> bits) - 1))
    return [UInt32](unsafeUninitializedCapacity: width * height) { pixels, count in
      for row in 0..<height {
        for column in 0..<width {
          let indices = packed[row * codedWidth + column >> bits] >> 8
          let shift = UInt32((column & (1 << bits - 1)) * size)
          pixels[row * width + column] = data[Int(indices >> shift & mask)]
        }
      }
      count = width * height
    }
  }
}
