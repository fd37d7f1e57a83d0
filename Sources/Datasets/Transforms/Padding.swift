import Formats
import Tensor

extension Image {
  /// The image in the middle of a square, whose borders have one value in every channel; the larger border is below
  /// and at the right where the difference is odd (open_clip, `center_crop_or_pad`).
  ///
  /// Traps for an image that does not fit.
  func padded(to size: Int, fill: UInt8) -> Image {
    require(width <= size && height <= size, "pad: expected at most \(size) × \(size), found \(width) × \(height)")
    var result = [UInt8](repeating: fill, count: 3 * size * size)
    let (left, top) = ((size - width) / 2, (size - height) / 2)
    for row in 0..<height {
      let start = 3 * ((top + row) * size + left)
      result.replaceSubrange(start..<start + 3 * width, with: pixels[3 * row * width..<3 * (row + 1) * width])
    }
    return Image(width: size, height: size, pixels: result)
  }
}
