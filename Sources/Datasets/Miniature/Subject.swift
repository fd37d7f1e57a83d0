import Tensor

extension Miniature {
  /// One object in front of a background, in words; the rest of its image is random.
  struct Subject {
    let figure: Figure
    let hue: Hue
    let pattern: Pattern
    let size: Size
    let location: Location
    let tilt: Tilt
    let background: (hue: Hue, pattern: Pattern)
    let style: Style

    /// The rotation of the object.
    package enum Tilt: String, Sendable, CaseIterable {
      case upright, tilted
      case upsideDown = "upside down"
    }

    /// Any object, at any position, in any style.
    static func any(using random: inout RandomStream) -> Subject {
      let hue = random.pick(Hue.allCases)
      let turn = random.uniform()
      return Subject(
        figure: random.pick(Figure.allCases), hue: hue,
        pattern: random.chance(0.5) ? random.pick(Pattern.mixed) : .plain, size: random.pick(Size.allCases),
        location: random.pick(Location.allCases), tilt: turn < 0.15 ? .upsideDown : turn < 0.25 ? .tilted : .upright,
        background: ground(behind: hue, plain: 0.4, using: &random), style: Miniature.style(using: &random))
    }

    /// An easily visible object: medium or large, near the middle, upright, mostly plain, on a mostly plain background.
    static func lesson(using random: inout RandomStream) -> Subject {
      let hue = random.pick(Hue.allCases)
      return Subject(
        figure: random.pick(Figure.allCases), hue: hue,
        pattern: random.chance(0.75) ? .plain : random.pick(Pattern.mixed), size: random.pick([.medium, .large]),
        location: .centre, tilt: .upright, background: ground(behind: hue, plain: 0.85, using: &random), style: .photo)
    }

    /// A background of another colour.
    static func ground(
      behind hue: Hue, plain: Double, using random: inout RandomStream
    ) -> (hue: Hue, pattern: Pattern) {
      (random.pick(Hue.allCases, not: hue), random.chance(plain) ? .plain : random.pick(Pattern.mixed))
    }

    /// Its image; `isLesson` keeps position and rotation close to the words.
    func scene(isLesson: Bool, using random: inout RandomStream) -> Scene {
      let deviation = isLesson ? 0.09 : 0.07
      var rotation = random.normal(isLesson ? 0.12 : 0.2)
      if tilt == .upsideDown { rotation += Double.pi }
      if tilt == .tilted { rotation += random.chance(0.5) ? Double.pi / 4 : -Double.pi / 4 }
      let centre = (size == .large ? 0.45 : 1) * location.centre
      let object = Object(
        .figure(figure), objectSurface(hue, pattern, using: &random),
        centre: centre + SIMD2(random.normal(deviation), random.normal(deviation)),
        halfExtent: size.halfExtent * random.uniform(in: 0.88..<1.12), rotation: rotation)
      return Scene(
        backgroundSurface(background.hue, background.pattern, using: &random), [object], style: style)
    }

    /// True if its colours are visible: a sketch has outlines only.
    private var isColored: Bool { style != .sketch }

    /// What its image shows.
    var facts: Facts {
      var facts = Facts(style: style)
      (facts.figure, facts.size, facts.location, facts.tilt, facts.count) = (figure, size, location, tilt, 1)
      guard isColored else { return facts }
      (facts.hue, facts.pattern, facts.ground, facts.cover) = (hue, pattern, background.hue, background.pattern)
      return facts
    }

    /// The caption of a lesson: always with the shape.
    func lessonCaption(using random: inout RandomStream) -> String {
      caption(size: 0, hue: 0.4, pattern: pattern == .plain ? 0 : 0.6, location: 0, background: 0.15, using: &random)
    }

    /// The usual caption.
    func caption(using random: inout RandomStream) -> String {
      caption(
        size: 0.35, hue: 0.7, pattern: 0.8, location: 0.5, background: background.pattern == .plain ? 0.4 : 0.6,
        using: &random)
    }

    /// A caption that names each property with the given probability.
    private func caption(
      size: Double, hue: Double, pattern: Double, location: Double, background: Double, using random: inout RandomStream
    ) -> String {
      var words: [String] = []
      if random.chance(size) { words.append(Words.varied(self.size.rawValue, using: &random)) }
      if random.chance(isColored ? hue : 0) { words.append(Words.varied(self.hue.rawValue, using: &random)) }
      if random.chance(isColored ? pattern : 0) { words.append(Words.varied(self.pattern.rawValue, using: &random)) }
      words.append(Words.varied(figure.rawValue, using: &random))
      var phrase = Words.article(words.joined(separator: " "))
      switch tilt {
      case .upright: break
      case .tilted, .upsideDown: if random.chance(0.5) { phrase += " \(tilt.rawValue)" }
      }
      if random.chance(location) { phrase += " " + self.location.phrase }
      if random.chance(isColored ? background : 0) {
        let ground = Words.varied(self.background.hue.rawValue, using: &random)
        let pattern = Words.varied(self.background.pattern.rawValue, using: &random)
        phrase += " " + random.pick(["on", "over", "in front of"])
        phrase += " " + Words.article("\(ground) \(pattern) \(random.pick(["background", "wall"]))")
      }
      return phrase
    }
  }

  /// A photo seven times in ten.
  static func style(using random: inout RandomStream) -> Style {
    random.chance(0.7) ? .photo : random.pick(Array(Style.allCases.dropFirst()))
  }
}

extension Miniature.Location {
  /// The position, as worded in captions.
  var phrase: String {
    switch self {
    case .centre: "in the centre"
    case .left: "on the left"
    case .right: "on the right"
    case .top: "at the top"
    case .bottom: "at the bottom"
    }
  }
}
