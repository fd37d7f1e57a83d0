/// Expansion of reconstructed PNG rows to RGB: alpha dropped, palettes looked up, 16 bits cut to the high byte but
/// for grey, whose 16 bits are clipped at 255.
struct PNGPixels {
  let header: PNGHeader
  /// [256, 3]; black beyond the entries of the file.
  let palette: [UInt8]

  /// Writes the `count` pixels of `row`, each `step` bytes after the one before.
  func expand(_ row: UnsafePointer<UInt8>, count: Int, into target: UnsafeMutablePointer<UInt8>, step: Int) {
    let wide = header.bitDepth == 16
    switch header.color {
    case .rgb, .rgbAlpha:
      let size = wide ? 2 : 1
      let pixel = header.color.channels * size
      for index in 0..<count {
        let source = row + index &* pixel
        let rgb = target + index &* step
        rgb[0] = source[0]
        rgb[1] = source[size]
        rgb[2] = source[2 &* size]
      }
    case .gray where wide:
      // min(v, 255), nearly white: what Pillow's `convert("RGB")` gives, so what Python pipelines train on.
      for index in 0..<count { gray(row[2 * index] == 0 ? row[2 * index + 1] : 255, target + index * step) }
    case .gray where header.bitDepth >= 8, .grayAlpha:
      let pixel = header.pixelBits / 8
      for index in 0..<count { gray(row[index * pixel], target + index * step) }
    case .gray:
      // 255 over the largest value is whole for 1, 2 and 4 bits.
      let scale = UInt8(255 / ((1 << header.bitDepth) - 1))
      for index in 0..<count { gray(sample(row, index) * scale, target + index * step) }
    case .palette:
      for index in 0..<count {
        let entry = 3 * Int(sample(row, index))
        for channel in 0..<3 { target[index * step + channel] = palette[entry + channel] }
      }
    }
  }

  @inline(__always)
  private func gray(_ level: UInt8, _ rgb: UnsafeMutablePointer<UInt8>) {
    rgb[0] = level
    rgb[1] = level
    rgb[2] = level
  }

  /// Sample `index` of a row of 1, 2, 4 or 8 bits each, the first in the highest bits.
  @inline(__always)
  private func sample(_ row: UnsafePointer<UInt8>, _ index: Int) -> UInt8 {
    let bits = header.bitDepth
    let bit = index * bits
    return row[bit >> 3] >> UInt8(8 - bits - bit & 7) & UInt8((1 << bits) - 1)
  }
}
