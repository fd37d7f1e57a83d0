import Formats
import Tensor

extension Miniature {
  /// One object in an image.
  package struct Object: Sendable {
    /// Its shape.
    package var outline: Outline
    /// Its centre: −1 and 1 are the borders of the image, y points down.
    package var centre: SIMD2<Double>
    /// Half its extent, in the same units.
    package var halfExtent: Double
    /// Its clockwise rotation, in radians.
    package var rotation: Double
    /// Its height as a share of what it is when seen from the front.
    package var foreshortening = 1.0
    /// Its surface.
    package var texture: Texture

    /// An object by its parts.
    package init(
      _ outline: Outline, _ texture: Texture, centre: SIMD2<Double> = .zero, halfExtent: Double, rotation: Double = 0
    ) {
      (self.outline, self.texture) = (outline, texture)
      (self.centre, self.halfExtent, self.rotation) = (centre, halfExtent, rotation)
    }
  }

  /// The contents of an image.
  package struct Scene: Sendable {
    /// The background.
    package var background: Texture
    /// The objects, in the order in which they are painted.
    package var objects: [Object]
    /// The style of the image.
    package var style: Style
    /// The factors of red, green and blue, such as the colour of the light.
    package var tint = Color(repeating: 1)
    /// The deviation of the noise of every channel of every pixel.
    package var noise = 0.02

    /// An image of a background and objects.
    package init(_ background: Texture, _ objects: [Object] = [], style: Style = .photo) {
      (self.background, self.objects, self.style) = (background, objects, style)
    }

    /// The image; its noise comes from the stream.
    ///
    /// The coverage of a pixel by an object is ½ minus its distance from the outline in pixels, clamped to 0 … 1:
    /// borders are smoothed over one pixel.
    package func rendered(using random: inout RandomStream) -> Image {
      withUnsafeTemporaryAllocation(of: Color.self, capacity: 2 * count) { memory in
        let canvas = memory.baseAddress!
        paint(background, on: canvas)
        for object in objects { paint(object, on: canvas) }
        if style == .blurred { blur(canvas, using: canvas + count) }
        return developed(canvas, &random)
      }
    }
  }
}

/// Pixels of an image, and of a row of it.
private let (count, side) = (Miniature.size * Miniature.size, Miniature.size)

extension Miniature.Scene {
  /// The position of a pixel, in pixels from the middle of the image.
  private func coordinate(_ index: Int) -> Double { Double(index) + 0.5 - Double(side) / 2 }

  private func paint(_ background: Miniature.Texture, on canvas: UnsafeMutablePointer<Miniature.Color>) {
    guard style != .sketch else { return canvas.initialize(repeating: Miniature.Color(repeating: 0.92), count: count) }
    let brush = background.brush
    for row in 0..<side {
      for column in 0..<side {
        let pixel = row * side + column
        (canvas + pixel).initialize(to: brush.color(coordinate(column), coordinate(row), pixel: pixel))
      }
    }
  }

  private func paint(_ object: Miniature.Object, on canvas: UnsafeMutablePointer<Miniature.Color>) {
    let half = Double(side) / 2
    let pixels = object.halfExtent * half
    let (cosine, sine) = (PlainMath.cos(object.rotation), PlainMath.sin(object.rotation))
    let brush = object.texture.brush
    // No outline reaches further than 1.25 half-extents from its centre.
    let reach = 1.25 * pixels + 2
    let centre = half * object.centre
    func range(_ middle: Double) -> Range<Int> {
      let low = Int(max(0, (middle + half - reach).rounded(.down)))
      return low..<max(low, Int(min(Double(side), (middle + half + reach).rounded(.up))))
    }
    for row in range(centre.y) {
      for column in range(centre.x) {
        let (x, y) = (coordinate(column) - centre.x, coordinate(row) - centre.y)
        // In the object's own coordinates, seen from the front.
        let (across, down) = (cosine * x + sine * y, (cosine * y - sine * x) / object.foreshortening)
        let distance =
          object.foreshortening * pixels * object.outline.distance(across / pixels, down / pixels)
        let pixel = row * side + column
        if style == .sketch {
          let coverage = min(max(1.6 - abs(distance), 0), 1)
          canvas[pixel] += coverage * (Miniature.Color(repeating: 0.12) - canvas[pixel])
        } else {
          let coverage = min(max(0.5 - distance, 0), 1)
          guard coverage > 0 else { continue }
          // The pattern turns with its object.
          let color = brush.color(across, down, pixel: pixel)
          canvas[pixel] += coverage * (color - canvas[pixel])
        }
      }
    }
  }

  /// Weights five neighbours 1 : 4 : 6 : 4 : 1, across and down; pixels beyond the border repeat it.
  private func blur(
    _ canvas: UnsafeMutablePointer<Miniature.Color>, using other: UnsafeMutablePointer<Miniature.Color>
  ) {
    func pass(
      _ from: UnsafeMutablePointer<Miniature.Color>, _ into: UnsafeMutablePointer<Miniature.Color>, _ step: Int,
      _ line: Int
    ) {
      for start in 0..<side {
        for index in 0..<side {
          func at(_ offset: Int) -> Miniature.Color {
            from[start * line + min(max(index + offset, 0), side - 1) * step]
          }
          let sum = at(-2) + at(2) + 4 * (at(-1) + at(1)) + 6 * at(0)
          (into + start * line + index * step).initialize(to: sum / 16)
        }
      }
    }
    pass(canvas, other, 1, side)
    pass(other, canvas, side, 1)
  }

  /// Light, noise and 8 bits.
  private func developed(_ canvas: UnsafeMutablePointer<Miniature.Color>, _ random: inout RandomStream) -> Image {
    let deviation = style == .grainy ? (noise * noise + 0.12 * 0.12).squareRoot() : noise
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * count) { bytes, filled in
      for pixel in 0..<count {
        var color = canvas[pixel] * tint
        if style == .dark { color *= 0.4 }
        if style == .faded { color = 0.4 * color + 0.5 }
        // Four bytes add up to nearly normal noise; three such sums take two words.
        let (a, b) = (random.next(), random.next())
        color += deviation * Miniature.Color(grain(a), grain(a >> 32), grain(b))
        for channel in 0..<3 {
          bytes[3 * pixel + channel] = UInt8((255 * min(max(color[channel], 0), 1)).rounded())
        }
      }
      filled = 3 * count
    }
    return Image(width: side, height: side, pixels: pixels)
  }

  /// The sum of the four lowest bytes, of mean 0 and deviation 1.
  private func grain(_ word: UInt64) -> Double {
    let sum = (word & 0xff) + (word >> 8 & 0xff) + (word >> 16 & 0xff) + (word >> 24 & 0xff)
    return (Double(sum) - 510) / 147.8
  }
}
