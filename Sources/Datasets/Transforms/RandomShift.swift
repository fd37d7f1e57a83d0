import Formats
import Tensor

/// The mildest training transform: the image as for evaluation, shifted by a few pixels. It keeps sides and directions,
/// which mirroring would exchange.
public struct RandomShift: Sendable, Equatable {
  /// The largest shift along each axis.
  public var pixels: Int

  /// Traps on less than one pixel.
  public init(pixels: Int) {
    require(pixels > 0, "random shift: expected at least one pixel, found \(pixels)")
    self.pixels = pixels
  }

  /// Shifts an image to the right by −n … n pixels, then down likewise, all equally likely; pixels entering at a border
  /// repeat it.
  package func applied(to image: Image, using generator: inout some RandomNumberGenerator) -> Image {
    let right = UniformDraw.integer(below: 2 * pixels + 1, using: &generator) - pixels
    let down = UniformDraw.integer(below: 2 * pixels + 1, using: &generator) - pixels
    var result = image
    for row in 0..<image.height {
      let source = min(max(row - down, 0), image.height - 1)
      for column in 0..<image.width {
        let from = 3 * (source * image.width + min(max(column - right, 0), image.width - 1))
        let into = 3 * (row * image.width + column)
        for channel in 0..<3 { result.pixels[into + channel] = image.pixels[from + channel] }
      }
    }
    return result
  }
}
