import Tensor

extension Miniature {
  /// The surface of an object of the given colour and pattern: what the words leave open is random.
  package static func objectSurface(_ hue: Hue, _ pattern: Pattern, using random: inout RandomStream) -> Texture {
    let color = jittered(hue.color, using: &random)
    return Texture(
      pattern, color, color.shade, period: random.uniform(in: 4..<6.5), phase: phase(using: &random),
      speckles: random.next())
  }

  /// A background of the given colour and pattern, whose two colours differ by half as much.
  package static func backgroundSurface(
    _ hue: Hue, _ pattern: Pattern, period: Range<Double> = 5..<11, using random: inout RandomStream
  ) -> Texture {
    let color = jittered(hue.color, using: &random)
    let angle = random.uniform(in: -0.3..<0.3) + (random.chance(0.3) ? Double.pi / 2 : 0)
    return Texture(
      pattern, color, 0.5 * (color + color.shade), period: random.uniform(in: period), angle: angle,
      phase: phase(using: &random), speckles: random.next())
  }

  /// A variation of a colour, as no two objects have exactly the same.
  package static func jittered(_ color: Color, _ deviation: Double = 0.06, using random: inout RandomStream) -> Color {
    color + Color(random.normal(deviation), random.normal(deviation), random.normal(deviation))
  }

  private static func phase(using random: inout RandomStream) -> SIMD2<Double> {
    SIMD2(random.uniform(in: 0..<2 * Double.pi), random.uniform(in: 0..<2 * Double.pi))
  }
}
