import Tensor

extension Miniature {
  /// The pretraining distribution: scenes with captions.
  enum Mixture {
    /// A scene, what it shows, and its caption, with or without the beginning.
    struct Example {
      var scene: Scene
      var facts: Facts
      var caption: String
    }

    /// Nearly half are of one object, the rest of several like ones, of two in a relation, or of a surface alone; one
    /// in three in coloured light, with more noise or less.
    static func example(using random: inout RandomStream) -> Example {
      let kind = random.uniform()
      var example =
        kind < 0.48
        ? single(using: &random)
        : kind < 0.63
          ? several(2 + random.integer(below: 4), using: &random)
          : kind < 0.85 ? related(using: &random) : surface(using: &random)
      example.caption = introduced(example.caption, example.facts.style, using: &random)
      if random.chance(1 / 3) {
        func light() -> Double { random.uniform(in: 0.85..<1.12) }
        example.scene.tint = Color(light(), light(), light())
        example.scene.noise = random.uniform(in: 0.01..<0.05)
      }
      return example
    }

    /// An easy image of one object, whose caption names its shape.
    static func lesson(using random: inout RandomStream) -> Example {
      let subject = Subject.lesson(using: &random)
      let scene = subject.scene(isLesson: true, using: &random)
      let caption = introduced(subject.lessonCaption(using: &random), .photo, using: &random)
      return Example(scene: scene, facts: subject.facts, caption: caption)
    }

    private static func single(using random: inout RandomStream) -> Example {
      let subject = Subject.any(using: &random)
      let scene = subject.scene(isLesson: false, using: &random)
      return Example(scene: scene, facts: subject.facts, caption: subject.caption(using: &random))
    }

    /// Several equal objects, two to five, and their caption.
    static func several(_ count: Int, using random: inout RandomStream) -> Example {
      let centres = Arrangement.centres(count)
      let (figure, hue) = (random.pick(Figure.allCases), random.pick(Hue.allCases))
      let texture = objectSurface(hue, random.chance(0.5) ? random.pick(Pattern.mixed) : .plain, using: &random)
      let objects = centres.map { centre in
        Object(
          .figure(figure), texture, centre: centre + SIMD2(random.normal(0.05), random.normal(0.05)),
          halfExtent: Arrangement.halfExtent(centres.count) * random.uniform(in: 0.85..<1.1),
          rotation: random.normal(0.2))
      }
      let ground = Subject.ground(behind: hue, plain: 0.4, using: &random)
      let scene = Scene(
        backgroundSurface(ground.hue, ground.pattern, using: &random), objects, style: style(using: &random))
      let isColored = scene.style != .sketch
      var words = [Words.numbers[centres.count - 1]]
      if random.chance(isColored ? 0.7 : 0) { words.append(Words.varied(hue.rawValue, using: &random)) }
      if random.chance(isColored ? 0.8 : 0) { words.append(Words.varied(texture.pattern.rawValue, using: &random)) }
      words.append(Words.plural(Words.varied(figure.rawValue, using: &random)))
      var facts = Facts(style: scene.style)
      (facts.figure, facts.count) = (figure, centres.count)
      if isColored {
        (facts.hue, facts.pattern, facts.ground, facts.cover) = (hue, texture.pattern, ground.hue, ground.pattern)
      }
      return Example(scene: scene, facts: facts, caption: words.joined(separator: " "))
    }

    /// Two objects, one next to or inside the other.
    private static func related(using random: inout RandomStream) -> Example {
      let relation = random.pick(Relation.allCases)
      let other = random.pick(relation == .inside ? Arrangement.containers : Figure.allCases)
      let figure = random.pick(Figure.allCases, not: other)
      let hue = random.pick(Hue.allCases)
      let otherHue = random.pick(Hue.allCases, not: hue)
      let pair = Arrangement.pair((figure, hue), relation, (other, otherHue), using: &random)
      let ground = random.pick(Hue.allCases.filter { $0 != hue && $0 != otherHue })
      let pattern = random.chance(0.6) ? Pattern.plain : random.pick(Pattern.mixed)
      let scene = Scene(backgroundSurface(ground, pattern, using: &random), pair, style: style(using: &random))
      func named(_ hue: Hue, _ figure: Figure) -> String {
        let noun = Words.varied(figure.rawValue, using: &random)
        let isNamed = random.chance(scene.style == .sketch ? 0 : 0.7)
        return Words.article(isNamed ? "\(Words.varied(hue.rawValue, using: &random)) \(noun)" : noun)
      }
      let (one, two) = (named(hue, figure), named(otherHue, other))
      var facts = Facts(style: scene.style)
      (facts.figure, facts.other, facts.relation, facts.count) = (figure, other, relation, 2)
      if scene.style != .sketch {
        (facts.hue, facts.pattern, facts.ground, facts.cover) = (hue, .plain, ground, pattern)
      }
      if let reversed = relation.reversed, random.chance(0.4) {
        return Example(scene: scene, facts: facts, caption: "\(two) \(reversed.rawValue) \(one)")
      }
      return Example(scene: scene, facts: facts, caption: "\(one) \(relation.rawValue) \(two)")
    }

    /// A surface and nothing else; never a sketch, which would be an empty sheet.
    private static func surface(using random: inout RandomStream) -> Example {
      let (hue, pattern) = (random.pick(Hue.allCases), random.pick(Pattern.allCases))
      let texture =
        random.chance(0.5)
        ? objectSurface(hue, pattern, using: &random) : backgroundSurface(hue, pattern, using: &random)
      var words = [Words.varied(pattern.rawValue, using: &random)]
      if random.chance(0.85) { words.insert(Words.varied(hue.rawValue, using: &random), at: 0) }
      words.append(random.pick(["texture", "surface", "background", "wall"]))
      let drawn = style(using: &random)
      let style = drawn == .sketch ? Style.photo : drawn
      var facts = Facts(style: style)
      (facts.ground, facts.cover) = (hue, pattern)
      return Example(
        scene: Scene(texture, style: style), facts: facts, caption: Words.article(words.joined(separator: " ")))
    }

    /// The beginning of a caption, which three times in four names the style if that is not a photo.
    private static func introduced(_ phrase: String, _ style: Style, using random: inout RandomStream) -> String {
      if style != .photo, random.chance(0.75) {
        return style == .sketch ? "a sketch of \(phrase)" : "a \(style.rawValue) photo of \(phrase)"
      }
      let beginnings = [
        "a photo of ", "a picture of ", "an image of ", "here is ", "this shows ", "a view of ", "",
      ]
      return random.pick(beginnings) + phrase
    }
  }

  /// The layout of several objects.
  enum Arrangement {
    /// Shapes with room for another one inside.
    static let containers: [Figure] = [.circle, .square, .hexagon, .diamond, .pentagon, .oval]

    /// The centres of one to five objects.
    static func centres(_ count: Int) -> [SIMD2<Double>] {
      switch count {
      case 1: [[0, 0]]
      case 2: [[-0.45, 0], [0.45, 0]]
      case 3: [[-0.5, 0.4], [0.5, 0.4], [0, -0.42]]
      case 4: [[-0.45, -0.45], [0.45, -0.45], [-0.45, 0.45], [0.45, 0.45]]
      default: [[-0.55, -0.55], [0.55, -0.55], [-0.55, 0.55], [0.55, 0.55], [0, 0]]
      }
    }

    /// Half the extent of each of a given number.
    static func halfExtent(_ count: Int) -> Double { [0.46, 0.38, 0.36, 0.34, 0.29][min(count, 5) - 1] }

    /// Two objects of which the first is in the relation to the second, in the order of painting.
    static func pair(
      _ one: (figure: Figure, hue: Hue), _ relation: Relation, _ other: (figure: Figure, hue: Hue),
      using random: inout RandomStream
    ) -> [Object] {
      func object(_ thing: (figure: Figure, hue: Hue), _ centre: SIMD2<Double>, _ halfExtent: Double) -> Object {
        Object(
          .figure(thing.figure), objectSurface(thing.hue, .plain, using: &random),
          centre: centre + SIMD2(random.normal(0.05), random.normal(0.05)),
          halfExtent: halfExtent * random.uniform(in: 0.85..<1.1), rotation: random.normal(0.12))
      }
      let offset: SIMD2<Double> =
        switch relation {
        case .leftOf: [-0.45, 0]
        case .rightOf: [0.45, 0]
        case .above: [0, -0.45]
        case .below: [0, 0.45]
        case .inside: [0, 0]
        }
      if relation == .inside { return [object(other, [0, 0], 0.92), object(one, [0, 0], 0.42)] }
      return [object(one, offset, 0.4), object(other, -offset, 0.4)]
    }
  }
}
