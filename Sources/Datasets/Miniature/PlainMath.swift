/// Functions from sums and products alone, each rounded by itself: the same bits on every machine, whatever mathematics
/// library is installed and whether or not it can fuse. An error of about 1e-10 is enough for 8-bit pixels.
enum PlainMath {
  /// sin x, from its series about the nearest multiple of π/2; for |x| up to a few thousand.
  static func sin(_ x: Double) -> Double { wave(x, quarter: 0) }

  /// cos x = sin(x + π/2)
  static func cos(_ x: Double) -> Double { wave(x, quarter: 1) }

  private static func wave(_ x: Double, quarter: Int) -> Double {
    let turns = (x * (2 / Double.pi)).rounded()
    let r = x - turns * (Double.pi / 2)
    let square = r * r
    let quadrant = (Int(turns) + quarter) & 3
    let value =
      quadrant & 1 == 0
      ? r * series(square, (1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362_880, -1 / 39_916_800))
      : series(square, (1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3_628_800))
    return quadrant & 2 == 0 ? value : -value
  }

  private static func series(
    _ x: Double, _ c: (Double, Double, Double, Double, Double, Double)
  ) -> Double {
    ((((c.5 * x + c.4) * x + c.3) * x + c.2) * x + c.1) * x + c.0
  }

  /// The angle of the point (x, y), −π to π; 0 for the origin.
  static func atan2(_ y: Double, _ x: Double) -> Double {
    let (width, height) = (abs(x), abs(y))
    let longer = max(width, height)
    guard longer > 0 else { return 0 }
    let t = min(width, height) / longer
    // atan t = π/4 + atan((t − 1) / (t + 1)) brings t below tan π/8.
    let isLarge = t > 0.414_213_562_373_095
    let reduced = isLarge ? (t - 1) / (t + 1) : t
    let square = reduced * reduced
    var sum = 0.0
    for power in stride(from: 21, through: 1, by: -2) { sum = (power & 2 == 0 ? 1 : -1) / Double(power) + sum * square }
    var angle = reduced * sum + (isLarge ? Double.pi / 4 : 0)
    if height > width { angle = Double.pi / 2 - angle }
    if x < 0 { angle = Double.pi - angle }
    return y < 0 ? -angle : angle
  }
}
