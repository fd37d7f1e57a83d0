extension Miniature {
  /// The border of an object, as a signed distance in units of its half-extent: negative inside, about 1 from centre to
  /// edge.
  package enum Outline: Sendable, Equatable {
    /// A shape of the vocabulary.
    case figure(Figure)
    /// An aeroplane from above that flies to the right: the slope of its wings, their position along the fuselage, and
    /// half the span of its tail.
    case plane(sweep: Double, wings: Double, tail: Double)

    /// The distance of the point (x, y), y pointing down.
    package func distance(_ x: Double, _ y: Double) -> Double {
      switch self {
      case .figure(let figure): figure.distance(x, y)
      case .plane(let sweep, let wings, let tail):
        min(
          Distance.ellipse(0.95, 0.16, x, y),
          max(abs(x - wings + abs(y) * sweep) - 0.16, abs(y) - 0.85),
          max(abs(x + 0.78) - 0.1, abs(y) - tail))
      }
    }
  }

  /// Distances shared by several outlines.
  enum Distance {
    static func radius(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }

    /// The angle from straight up, clockwise.
    static func bearing(_ x: Double, _ y: Double) -> Double { PlainMath.atan2(x, -y) }

    /// A rectangle of half-width w and half-height h, with square distances.
    static func box(_ w: Double, _ h: Double, _ x: Double, _ y: Double) -> Double { max(abs(x) - w, abs(y) - h) }

    /// An ellipse with half-axes w and h; the distance is right on its flat sides.
    static func ellipse(_ w: Double, _ h: Double, _ x: Double, _ y: Double) -> Double {
      1.1 * min(w, h) * (radius(x / w, y / h) - 1)
    }

    /// A regular polygon of n sides whose inner circle has radius r; with a side at the top, or turned by `turn`.
    static func polygon(_ n: Int, inner r: Double, turn: Double = 0, _ x: Double, _ y: Double) -> Double {
      let (angle, step) = (bearing(x, y) + turn, 2 * Double.pi / Double(n))
      return radius(x, y) * PlainMath.cos((0.5 + angle / step).rounded(.down) * step - angle) - r
    }

    /// A star of five tips at radius 1 and inner corners at 0.4: next to a tip, the half-plane through tip and corner.
    static func star(_ x: Double, _ y: Double) -> Double {
      let step = 2 * Double.pi / 5
      let angle = bearing(x, y)
      let fromTip = abs(angle - (angle / step).rounded() * step)
      let r = radius(x, y)
      let (along, across) = (r * PlainMath.cos(fromTip), r * PlainMath.sin(fromTip))
      let (cornerX, cornerY) = (0.4 * 0.809_016_994_374_947 - 1, 0.4 * 0.587_785_252_292_473)
      return ((along - 1) * cornerY - across * cornerX) / radius(cornerX, cornerY)
    }

    /// A heart: half a circle on each upper side of a square that stands on its corner.
    static func heart(_ x: Double, _ y: Double) -> Double {
      let (x, y) = (0.6 * abs(x), 0.55 - 0.6 * y)
      if x + y > 1 { return (radius(x - 0.25, y - 0.75) - 0.353_553_390_593_274) / 0.6 }
      let foot = 0.5 * max(x + y, 0)
      let nearest = min(radius(x, y - 1), radius(x - foot, y - foot))
      return (x > y ? nearest : -nearest) / 0.6
    }

    /// A flower of n round petals, not a true distance.
    static func petals(_ n: Int, _ x: Double, _ y: Double) -> Double {
      0.75 * (radius(x, y) - (0.6 + 0.28 * PlainMath.cos(Double(n) * bearing(x, y))))
    }
  }
}

extension Miniature.Figure {
  private typealias D = Miniature.Distance

  /// The signed distance of the point (x, y).
  func distance(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .circle: D.radius(x, y) - 0.82
    case .square: D.box(0.72, 0.72, x, y)
    case .triangle: D.polygon(3, inner: 0.5, turn: .pi, x, y - 0.15)
    case .star: D.star(x, y)
    case .cross: min(D.box(0.28, 0.9, x, y), D.box(0.9, 0.28, x, y))
    case .ring: abs(D.radius(x, y) - 0.66) - 0.22
    case .heart: D.heart(x, y)
    case .diamond: 0.52 * (abs(x) / 0.62 + abs(y) / 0.98 - 1)
    case .hexagon: D.polygon(6, inner: 0.74, x, y)
    case .pentagon: D.polygon(5, inner: 0.7, turn: .pi, x, y)
    case .crescent: max(D.radius(x, y) - 0.88, 0.74 - D.radius(x - 0.42, y))
    case .arrow: min(D.box(0.55, 0.17, x + 0.35, y), max(0.1 - x, 0.6 * (x - 0.95) + 0.8 * abs(y)))
    case .oval: D.ellipse(0.95, 0.5, x, y)
    case .bar: D.box(0.95, 0.25, x, y)
    case .dome: max(D.radius(x, y - 0.35) - 0.9, y - 0.35)
    case .drop: min(D.radius(x, y - 0.3) - 0.58, max(0.9 * abs(x) - 0.436 * (y + 0.95), y - 0.05))
    case .corner: min(D.box(0.24, 0.82, x + 0.5, y), D.box(0.79, 0.24, x - 0.05, y - 0.58))
    case .tee: min(D.box(0.82, 0.24, x, y + 0.58), D.box(0.24, 0.8, x, y - 0.1))
    case .arch: max(abs((y < 0 ? D.radius(x, y) : abs(x)) - 0.62) - 0.22, y - 0.82)
    case .gear: D.radius(x, y) - (0.68 + 0.16 * min(max(3 * PlainMath.cos(8 * D.bearing(x, y)), -1), 1))
    case .flower: D.petals(5, x, y)
    case .house: min(D.box(0.58, 0.5, x, y - 0.35), max(0.66 * abs(x) - 0.75 * (y + 0.9), y + 0.12))
    case .fish: min(D.ellipse(0.68, 0.44, x + 0.2, y), max(0.76 * (abs(y) - 0.85 * (x - 0.2)), x - 0.92))
    case .mushroom: min(max(D.radius(x, y + 0.05) - 0.82, y + 0.05), D.box(0.24, 0.47, x, y - 0.4))
    case .trillium: D.petals(3, x, y)
    case .poppy: D.petals(4, x, y)
    case .lily: D.petals(6, x, y)
    case .daisy: D.petals(8, x, y)
    }
  }
}
