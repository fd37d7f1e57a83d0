import Formats
import Tensor

/// Changes of colours in 8 bits, as torchvision makes them of Pillow's images.
///
/// Brightness, contrast and saturation go from a degenerate image d to the image x, and beyond it:
///
///     y = ⌊d + α (x − d)⌋ in 0 … 255,   in single precision
///
/// with d black, the mean grey of the image, or its own greys.
extension Image {
  /// The grey of each pixel: ⌊(19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶⌋ (ITU-R 601-2).
  package var greys: [UInt8] {
    pixels.withUnsafeBufferPointer { pixels in
      (0..<width * height).map { Self.grey(pixels[3 &* $0], pixels[3 &* $0 &+ 1], pixels[3 &* $0 &+ 2]) }
    }
  }

  private static func grey(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let (reds, greens): (UInt32, UInt32) = (19595 * UInt32(red), 38470 * UInt32(green))
    let sum: UInt32 = reds + greens + 7471 * UInt32(blue) + 0x8000
    return UInt8(sum >> 16)
  }

  /// The image with its grey in every channel.
  package func inGreys() -> Image { mapped { _, grey in (grey, grey, grey) } }

  /// α of 0 is black, 1 the image.
  package func brightened(by factor: Double) -> Image { blended(by: factor) { _ in 0 } }

  /// α of 0 is the mean of the greys, rounded half up, everywhere.
  package func contrasted(by factor: Double) -> Image {
    let sum = greys.reduce(0) { $0 + Int($1) }
    let mean = UInt8(Double(sum) / Double(width * height) + 0.5)
    return blended(by: factor) { _ in mean }
  }

  /// α of 0 is the image in greys.
  package func saturated(by factor: Double) -> Image { blended(by: factor) { $0 } }

  /// The hue of every pixel turned by a share of the circle, −½ … ½, in steps of 1/255 towards 0.
  package func hueTurned(by share: Double) -> Image {
    let steps = UInt8(truncatingIfNeeded: Int(share * 255))
    return mapped { colour, _ in
      var turned = HueSaturationValue(red: colour.0, green: colour.1, blue: colour.2)
      turned.hue &+= steps
      return turned.rgb
    }
  }

  private func blended(by factor: Double, degenerate: (_ grey: UInt8) -> UInt8) -> Image {
    let alpha = Float(factor)
    func blend(_ from: UInt8, _ to: UInt8) -> UInt8 {
      let value = Float(from) + alpha * Float(Int(to) - Int(from))
      return value <= 0 ? 0 : value >= 255 ? 255 : UInt8(value)
    }
    return mapped { colour, grey in
      let from = degenerate(grey)
      return (blend(from, colour.0), blend(from, colour.1), blend(from, colour.2))
    }
  }

  private typealias Colour = (UInt8, UInt8, UInt8)

  /// Every pixel by its colour and grey.
  private func mapped(_ change: (_ colour: Colour, _ grey: UInt8) -> Colour) -> Image {
    var result = self
    result.pixels.withUnsafeMutableBufferPointer { pixels in
      for start in stride(from: 0, to: pixels.count, by: 3) {
        let colour = (pixels[start], pixels[start + 1], pixels[start + 2])
        let changed = change(colour, Self.grey(colour.0, colour.1, colour.2))
        (pixels[start], pixels[start + 1], pixels[start + 2]) = changed
      }
    }
    return result
  }
}

/// A colour by hue, saturation and value in 8 bits each, with Pillow's rounding.
///
/// With the largest and the smallest of the three channels M and m, and r = (M − R) / (M − m), likewise g and b:
///
///     V = M,   S = ⌊255 (M − m) / M⌋,   H = ⌊255 frac(h / 6 + 1)⌋
///     h = b − g where R = M, else 2 + r − b where G = M, else 4 + g − r
///
/// and back, with i = ⌊6 H / 255⌋, f = 6 H / 255 − i and s = S / 255: V, V (1 − s), V (1 − s f) and V (1 − s (1 − f)),
/// rounded half away from 0, in the order of the sixth i of the circle. A grey has H = S = 0.
struct HueSaturationValue: Equatable {
  var hue: UInt8
  let saturation: UInt8
  let value: UInt8

  /// A colour by its parts.
  init(hue: UInt8, saturation: UInt8, value: UInt8) {
    (self.hue, self.saturation, self.value) = (hue, saturation, value)
  }

  /// The colour of three channels.
  init(red: UInt8, green: UInt8, blue: UInt8) {
    let (largest, smallest) = (max(red, green, blue), min(red, green, blue))
    value = largest
    guard largest > smallest else {
      (hue, saturation) = (0, 0)
      return
    }
    let range = Float(largest - smallest)
    func distance(_ channel: UInt8) -> Float { Float(largest - channel) / range }
    let (r, g, b) = (distance(red), distance(green), distance(blue))
    // Single precision, but for sums with a constant, which are formed in double precision and rounded.
    let sixths =
      red == largest ? b - g : green == largest ? Float(2 + Double(r) - Double(b)) : Float(4 + Double(g) - Double(r))
    let turns = Double(sixths) / 6 + 1
    hue = UInt8(Double(Float(turns - turns.rounded(.down))) * 255)
    saturation = UInt8(Double(range / Float(largest)) * 255)
  }

  /// Red, green and blue.
  var rgb: (UInt8, UInt8, UInt8) {
    guard saturation > 0 else { return (value, value, value) }
    let sixths = Double(Float(hue)) * 6 / 255
    let sixth = Int(sixths)
    let (f, s) = (Double(Float(sixths - Double(sixth))), Double(Float(saturation) / 255))
    func scaled(_ share: Double) -> UInt8 {
      UInt8(min(255, max(0, Double(Float(Double(value) * (1 - share)).rounded(.toNearestOrAwayFromZero)))))
    }
    let (p, q, t) = (scaled(s), scaled(s * f), scaled(s * (1 - f)))
    switch sixth % 6 {
    case 0: return (value, t, p)
    case 1: return (q, value, p)
    case 2: return (p, value, t)
    case 3: return (p, q, value)
    case 4: return (t, p, value)
    default: return (value, p, q)
    }
  }
}
