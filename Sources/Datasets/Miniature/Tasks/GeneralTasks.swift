import Tensor

/// Tasks about the class of one object: shapes and patterns that pretraining has seen.
extension MiniatureTask {
  private typealias World = Miniature

  /// Resembles ImageNet: many classes, each a pattern and a shape.
  static let net = {
    // 5 is coprime to 24: every shape comes before the first comes again, and then with another pattern.
    let things = (0..<40).map { (k: Int) -> (pattern: World.Pattern, figure: World.Figure) in
      (World.Pattern.mixed[(3 * k + k / 7) % 7], World.Figure.shapes[5 * k % 24])
    }
    return MiniatureTask(
      "net", .eleven, .general, "patterned shapes in colours without names, one image in five styled",
      classes: things.map { "\($0.pattern.rawValue) \($0.figure.rawValue)" }, template: "a photo of a {}"
    ) { label, _, random in
      var scene = World.thing(
        .figure(things[label].figure), random.pick(World.Hue.allCases), things[label].pattern, using: &random)
      scene.repaint(using: &random)
      scene.style = World.style(0.2, using: &random)
      return scene
    }
  }()

  /// Resembles Caltech-101: the shapes, mostly plain.
  static let caltech = shapes("caltech", .eleven, .general)

  /// The same shapes, of VTAB.
  static let shapes = shapes("shapes", .vtab, .natural)

  private static func shapes(_ name: String, _ suite: Suite, _ group: Group) -> MiniatureTask {
    MiniatureTask(
      name, suite, group, "the shapes, rotated further than in pretraining and seen at an angle",
      classes: World.Figure.shapes.map(\.rawValue), template: "a photo of a {}"
    ) { label, _, random in
      let size = random.pick([World.Size.medium, .large])
      var scene = World.thing(
        .figure(World.Figure.shapes[label]), random.pick(World.Hue.allCases),
        random.chance(0.6) ? .plain : random.pick(World.Pattern.mixed), halfExtent: size.halfExtent, turned: 0.35,
        plainGround: 0.6, using: &random)
      scene.objects[0].foreshortening = random.uniform(in: 0.6..<1)
      return scene
    }
  }
}

extension Miniature.Scene {
  /// Gives background and objects colours that need not have a name; objects stand out from what is behind them.
  mutating func repaint(using random: inout RandomStream) {
    background.recolor(Miniature.anyColor(using: &random), contrast: 0.5)
    for index in objects.indices {
      var color = Miniature.anyColor(using: &random)
      while abs(color.luminance - background.first.luminance) < 0.25 { color = Miniature.anyColor(using: &random) }
      objects[index].texture.recolor(color, contrast: 1)
    }
  }
}

extension Miniature {
  /// An image of one object near the middle, on a background of another colour.
  ///
  /// - halfExtent: 1 is half the image; turned: the deviation of its rotation, in radians; plainGround: the probability
  ///   that the background has no pattern; grounds: the colours it may have.
  static func thing(
    _ outline: Outline, _ hue: Hue, _ pattern: Pattern, halfExtent: Double = Size.large.halfExtent,
    turned: Double = 0.2,
    plainGround: Double = 0.4, grounds: [Hue] = Hue.allCases, using random: inout RandomStream
  ) -> Scene {
    let object = Object(
      outline, objectSurface(hue, pattern, using: &random),
      centre: SIMD2(random.normal(0.12), random.normal(0.12)),
      halfExtent: halfExtent * random.uniform(in: 0.88..<1.12), rotation: random.normal(turned))
    let ground = random.pick(grounds, not: hue)
    let cover = random.chance(plainGround) ? Pattern.plain : random.pick(Pattern.mixed)
    return Scene(backgroundSurface(ground, cover, using: &random), [object])
  }

  /// A colour that need not have a name.
  static func anyColor(using random: inout RandomStream) -> Color {
    Color(random.uniform(), random.uniform(), random.uniform())
  }

  /// A photo, or with the given probability one that is blurred, grainy, dark or faded.
  static func style(_ probability: Double, using random: inout RandomStream) -> Style {
    random.chance(probability) ? random.pick([.blurred, .grainy, .dark, .faded]) : .photo
  }
}
