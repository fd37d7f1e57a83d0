import Tensor

/// Tasks about surfaces: the background of an object, or one that covers the whole image.
extension MiniatureTask {
  private typealias World = Miniature

  /// Resembles SUN397: the wall is the class, the object in front of it is not.
  static let sun = {
    let walls = [World.Pattern.striped, .dotted, .checkered, .wavy, .speckled, .grid].flatMap { pattern in
      [World.Hue.red, .green, .blue, .yellow].map { ($0, pattern) }
    }
    return MiniatureTask(
      "sun", .eleven, .scene, "colour and pattern of the wall behind a small object of any kind",
      classes: walls.map { "\($0.rawValue) \($1.rawValue) wall" }, template: "a photo of a circle on a {}"
    ) { label, _, random in
      let (hue, pattern) = walls[label]
      var wall = World.backgroundSurface(hue, pattern, period: 6..<10, using: &random)
      // Three quarters of the contrast of an object: half of it was hard to see behind another object.
      wall.second = 0.25 * wall.first + 0.75 * wall.first.shade
      let thing = World.Object(
        .figure(random.pick(World.Figure.allCases)),
        World.objectSurface(random.pick(World.Hue.allCases, not: hue), .plain, using: &random),
        centre: SIMD2(random.normal(0.3), random.normal(0.3)),
        halfExtent: World.Size.small.halfExtent * random.uniform(in: 0.88..<1.12), rotation: random.normal(0.2))
      return World.Scene(wall, [thing], style: World.style(0.15, using: &random))
    }
  }()

  /// Resembles Describable Textures: rare words for known patterns, and patterns never seen.
  static func textures(_ name: String, _ suite: Suite, _ group: Group) -> MiniatureTask {
    let words = [
      "smooth", "banded", "spotted", "chequered", "rippled", "gradual", "flecked", "netted",
      "cellular", "swirly", "jagged", "tiled",
    ]
    return MiniatureTask(
      name, suite, group, "patterns under rare words, at any scale and angle, in colours without names",
      classes: words, template: "{} texture"
    ) { label, _, random in
      let color = World.anyColor(using: &random)
      let other = World.jittered(color.shade, 0.1, using: &random)
      return World.Scene(
        World.Texture(
          World.Pattern.allCases[label], color, other, period: random.uniform(in: 4..<14),
          angle: random.uniform(in: -0.8..<0.8),
          phase: SIMD2(random.uniform(in: 0..<2 * Double.pi), random.uniform(in: 0..<2 * Double.pi)),
          speckles: random.next()))
    }
  }
}
