/// The samples of one component of a VP8 frame, in whole macroblocks, with the neighbours that prediction sees outside:
/// 127 above, 129 on the left.
final class VP8Plane {
  /// The sample at the top left.
  let base: UnsafeMutablePointer<UInt8>
  let stride: Int
  private let buffer: JPEGBuffer<UInt8>

  init(width: Int, height: Int) throws(ImageError.Problem) {
    stride = width + 8
    buffer = try JPEGBuffer(count: stride * (height + 1))
    base = buffer.base + stride + 4
    (base - stride - 1).update(repeating: 127, count: width + 5)
    for row in 0..<height { base[row * stride - 1] = 129 }
  }
}
