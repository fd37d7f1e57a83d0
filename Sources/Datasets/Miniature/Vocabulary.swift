/// A small world of generated 32 × 32 images: its objects, their rendering and their captions.
///
/// Every image depends on a seed, a name and an index alone (`Miniature.stream`), and all arithmetic is in plain double
/// precision with functions of our own, so that its bytes are the same on every machine.
package enum Miniature {
  /// The height and width of an image, in pixels.
  package static let size = 32

  /// The shapes that have names.
  package enum Figure: String, Sendable, CaseIterable {
    case circle, square, triangle, star, cross, ring, heart, diamond, hexagon, pentagon, crescent, arrow
    case oval, bar, dome, drop, corner, tee, arch, gear, flower, house, fish, mushroom
    case trillium, poppy, lily, daisy

    /// Flowers told apart by their number of petals: 3, 4, 6 and 8; `flower` has 5.
    package static let species: [Figure] = [.trillium, .poppy, .lily, .daisy]
    /// All others.
    package static let shapes = allCases.filter { !species.contains($0) }
  }

  /// The colours that have names.
  package enum Hue: String, Sendable, CaseIterable {
    case red, orange, yellow, green, teal, blue, purple, pink, brown, black, grey, white

    /// Red, green and blue, 0 to 1.
    package var color: Color {
      let hundredths: Color =
        switch self {
        case .red: [86, 12, 12]
        case .orange: [95, 52, 8]
        case .yellow: [95, 88, 15]
        case .green: [15, 65, 20]
        case .teal: [10, 70, 70]
        case .blue: [15, 30, 88]
        case .purple: [52, 18, 72]
        case .pink: [96, 52, 72]
        case .brown: [45, 27, 12]
        case .black: [6, 6, 6]
        case .grey: [50, 50, 50]
        case .white: [97, 97, 97]
        }
      return hundredths / 100
    }
  }

  /// The patterns of two colours on a surface.
  package enum Pattern: String, Sendable, CaseIterable {
    case plain, striped, dotted, checkered, wavy, shaded, speckled, grid
    case cells = "honeycombed"
    case rings = "ringed"
    case zigzag = "zigzagged"
    case bricks = "bricked"

    /// Those that show two colours.
    package static let mixed = Array(allCases.dropFirst())
  }

  /// The style of an image.
  package enum Style: String, Sendable, CaseIterable {
    case photo, blurred, grainy, sketch, dark, faded
  }

  /// The size of an object.
  package enum Size: String, Sendable, CaseIterable {
    case small, medium, large

    /// Half the extent of an object, where 1 is half the image.
    package var halfExtent: Double {
      switch self {
      case .small: 0.31
      case .medium: 0.46
      case .large: 0.68
      }
    }
  }

  /// The position of an object.
  package enum Location: String, Sendable, CaseIterable {
    case centre, left, right, top, bottom

    /// Its centre, where −1 and 1 are the borders and y points down.
    package var centre: SIMD2<Double> {
      switch self {
      case .centre: [0, 0]
      case .left: [-0.45, 0]
      case .right: [0.45, 0]
      case .top: [0, -0.45]
      case .bottom: [0, 0.45]
      }
    }
  }

  /// The relation of one object to another.
  package enum Relation: String, Sendable, CaseIterable {
    case leftOf = "left of"
    case rightOf = "right of"
    case above, below, inside

    /// The inverse relation, if there are words for it.
    package var reversed: Relation? {
      switch self {
      case .leftOf: .rightOf
      case .rightOf: .leftOf
      case .above: .below
      case .below: .above
      case .inside: nil
      }
    }
  }

  /// Red, green and blue, 0 to 1.
  package typealias Color = SIMD3<Double>
}

extension Miniature.Color {
  /// 0.299 red + 0.587 green + 0.114 blue
  var luminance: Double { 0.299 * x + 0.587 * y + 0.114 * z }

  /// The second colour of a patterned object: darker than a light one, lighter than a dark one.
  var shade: Miniature.Color { luminance > 0.5 ? 0.4 * self : 0.45 * self + 0.55 }
}
