import Tensor

/// Structured tasks of VTAB: count, position and rotation, whatever the objects.
extension MiniatureTask {
  private typealias World = Miniature

  private static let numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight"]

  /// Resembles counting in CLEVR: one to eight small shapes.
  static let count = MiniatureTask(
    "count", .vtab, .structured, "how many small shapes there are, 1 to 8",
    classes: numbers.map { $0 == "one" ? "one object" : "\($0) objects" }, template: "a photo of {}"
  ) { label, _, random in
    let cells = random.permutation(of: 9).prefix(label + 1)
    let ground = random.pick(World.Hue.allCases)
    let objects = cells.map { cell in
      World.Object(
        .figure(random.pick([.circle, .square, .triangle])),
        World.objectSurface(random.pick(World.Hue.allCases, not: ground), .plain, using: &random),
        centre: SIMD2(
          Double(cell % 3 - 1) * 0.62 + random.uniform(in: -0.07..<0.07),
          Double(cell / 3 - 1) * 0.62 + random.uniform(in: -0.07..<0.07)),
        halfExtent: random.uniform(in: 0.19..<0.26), rotation: random.normal(0.2))
    }
    return World.Scene(World.backgroundSurface(ground, .plain, using: &random), objects)
  }

  /// Resembles dSprites' positions: the column, of eight, of a small shape's centre.
  static let place = MiniatureTask(
    "place-x", .vtab, .structured, "which of eight columns a small shape is in",
    classes: numbers.map { "something in column \($0)" }, template: "a photo of {}"
  ) { label, _, random in
    let hue = random.pick(World.Hue.allCases)
    let ground = World.Subject.ground(behind: hue, plain: 0.4, using: &random)
    let left = -0.8 + 0.2 * Double(label)
    let object = World.Object(
      .figure(random.pick(World.Figure.allCases)), World.objectSurface(hue, .plain, using: &random),
      centre: SIMD2(random.uniform(in: left..<left + 0.2), random.uniform(in: -0.7..<0.7)),
      halfExtent: World.Size.small.halfExtent * random.uniform(in: 0.8..<1),
      rotation: random.uniform(in: 0..<2 * Double.pi))
    return World.Scene(World.backgroundSurface(ground.hue, ground.pattern, using: &random), [object])
  }

  /// Resembles dSprites' orientations: the rotation of a shape in eighths of a turn.
  static let turn = MiniatureTask(
    "turn", .vtab, .structured, "by which of eight angles a shape is rotated clockwise",
    classes: (0..<8).map { $0 == 0 ? "something upright" : "something turned by \(45 * $0) degrees" },
    template: "a photo of {}"
  ) { label, _, random in
    let hue = random.pick(World.Hue.allCases)
    var scene = World.thing(
      .figure(random.pick([.arrow, .drop, .house, .fish, .tee])), hue, .plain, turned: 0, plainGround: 0.6,
      using: &random)
    scene.objects[0].rotation = Double(label) * Double.pi / 4 + random.uniform(in: -0.3..<0.3)
    return scene
  }
}
