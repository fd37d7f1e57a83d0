extension Miniature {
  /// Two colours on a surface.
  package struct Texture: Sendable {
    /// The pattern.
    package var pattern: Pattern
    /// The colours; a plain surface has the first.
    package var first, second: Color
    /// The length of a repetition, in pixels.
    package var period: Double
    /// The rotation of the pattern, in radians.
    package var angle: Double
    /// The phase, in radians of a repetition.
    package var phase: SIMD2<Double>
    /// The seed that decides which pixels of a speckled surface have the second colour.
    package var speckles: UInt64

    /// A surface by its parts.
    package init(
      _ pattern: Pattern, _ first: Color, _ second: Color, period: Double = 6, angle: Double = 0,
      phase: SIMD2<Double> = .zero, speckles: UInt64 = 0
    ) {
      (self.pattern, self.first, self.second) = (pattern, first, second)
      (self.period, self.angle, self.phase, self.speckles) = (period, angle, phase, speckles)
    }

    /// Changes its colours: the second goes that share of the way to the shade of the first.
    mutating func recolor(_ color: Color, contrast: Double) {
      (first, second) = (color, (1 - contrast) * color + contrast * color.shade)
    }

    /// The texture prepared for painting, with shared values computed once.
    var brush: Brush { Brush(self) }
  }

  /// A texture, ready to be read pixel by pixel.
  struct Brush {
    private let texture: Texture
    private let cosine, sine, step: Double
    private let difference: Color

    init(_ texture: Texture) {
      self.texture = texture
      (cosine, sine) = (PlainMath.cos(texture.angle), PlainMath.sin(texture.angle))
      step = 2 * Double.pi / texture.period
      difference = texture.second - texture.first
    }

    /// The colour of a pixel, counted from the middle of the image.
    func color(_ x: Double, _ y: Double, pixel: Int) -> Color {
      texture.pattern == .plain ? texture.first : texture.first + share(x, y, pixel: pixel) * difference
    }

    /// The share of the second colour, 0 to 1.
    private func share(_ x: Double, _ y: Double, pixel: Int) -> Double {
      let u = step * (cosine * x + sine * y)
      let v = step * (cosine * y - sine * x)
      let (a, b) = (u + texture.phase.x, v + texture.phase.y)
      switch texture.pattern {
      case .plain: return 0
      case .striped: return soft(PlainMath.sin(a))
      case .dotted: return soft(PlainMath.cos(a) + PlainMath.cos(b) - 0.9)
      case .checkered: return soft(2 * PlainMath.sin(0.8 * a) * PlainMath.sin(0.8 * b))
      case .wavy: return soft(PlainMath.sin(b + 1.6 * PlainMath.sin(0.6 * a)))
      case .shaded: return min(max(0.5 + u / 9, 0), 1)
      case .speckled: return isSpeckled(pixel) ? 1 : 0
      case .grid: return soft(max(PlainMath.cos(a), PlainMath.cos(b)) - 0.75, 3)
      case .cells:
        let (half, height) = (0.5 * a, 0.866_025_403_784_439 * b)
        // The sum is −1 in the middle of the edges between hexagons, less at their corners, and more inside.
        return soft(PlainMath.cos(a) + PlainMath.cos(half + height) + PlainMath.cos(half - height) + 0.75)
      case .rings: return soft(PlainMath.sin((u * u + v * v).squareRoot() + texture.phase.x))
      case .zigzag:
        let quarter = a / Double.pi
        let fold = abs(quarter - 2 * (quarter / 2).rounded(.down) - 1)
        return soft(PlainMath.sin(b + 4 * fold))
      case .bricks:
        let row = (b / (2 * Double.pi) + 0.5).rounded(.down)
        let isOdd = Int(row) & 1 == 1
        return soft(max(PlainMath.cos(0.6 * a + (isOdd ? Double.pi : 0)), PlainMath.cos(b)) - 0.75, 3)
      }
    }

    /// A soft step from 0 to 1 where g passes through 0.
    private func soft(_ g: Double, _ slope: Double = 1.5) -> Double { min(max(0.5 + slope * g, 0), 1) }

    /// Three pixels of ten, by a hash of the pixel's number (the finaliser of SplitMix64, Steele et al. 2014).
    private func isSpeckled(_ pixel: Int) -> Bool {
      var z = texture.speckles &+ UInt64(truncatingIfNeeded: pixel) &* 0x9e37_79b9_7f4a_7c15
      z = (z ^ z &>> 30) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ z &>> 27) &* 0x94d0_49bb_1331_11eb
      return (z ^ z &>> 31) >> 32 < 0x4ccc_cccc
    }
  }
}
