import Tensor

/// A decoder for lossless WebP images (RFC 9649, section 3).
struct VP8LDecoder {
  private var reader: VP8LBitReader

  init(_ bytes: UnsafeBufferPointer<UInt8>) { reader = VP8LBitReader(bytes) }

  mutating func decode() throws(ImageError.Problem) -> Image {
    let signature = try reader.bits(8)
    guard signature == 0x2F else {
      throw .malformed(expected: "signature 2f of a VP8L image", found: String(signature, radix: 16))
    }
    let width = try reader.bits(14) + 1
    let height = try reader.bits(14) + 1
    try Image.checkSize(width: width, height: height)
    // Whether alpha matters.
    _ = try reader.flag()
    let version = try reader.bits(3)
    guard version == 0 else { throw .unsupported(expected: "VP8L version 0", found: "\(version)") }
    var transforms: [VP8LTransform] = []
    var codedWidth = width
    while try reader.flag() {
      let transform = try VP8LTransform(&reader, width: codedWidth, height: height)
      guard !transforms.contains(where: { $0.kind == transform.kind }) else {
        throw .malformed(expected: "each transform once", found: "\(transform.kind) again")
      }
      transforms.append(transform)
      codedWidth = transform.codedWidth
    }
    var pixels = try VP8LPixels(&reader, width: codedWidth, height: height, isMain: true).values
    for transform in transforms.reversed() { transform.invert(&pixels) }
    return Image(
      width: width, height: height,
      pixels: [UInt8](unsafeUninitializedCapacity: 3 * pixels.count) { rgb, count in
        for (index, pixel) in pixels.enumerated() {
          rgb[3 * index] = UInt8(truncatingIfNeeded: pixel >> 16)
          rgb[3 * index + 1] = UInt8(truncatingIfNeeded: pixel >> 8)
          rgb[3 * index + 2] = UInt8(truncatingIfNeeded: pixel)
        }
        count = 3 * pixels.count
      })
  }
}
