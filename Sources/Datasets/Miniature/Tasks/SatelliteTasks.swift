import Tensor

/// Resembles EuroSAT: land from above.
extension MiniatureTask {
  private typealias World = Miniature

  /// Ground of two colours in a pattern, optionally with a band across.
  private struct Land {
    let name: String
    let pattern: Miniature.Pattern
    let first, second: Miniature.Color
    var band: Miniature.Color?
  }

  /// Colours in hundredths.
  private static let lands: [Land] = [
    Land(name: "annual crop land", pattern: .striped, first: [72, 62, 30], second: [42, 52, 18]),
    Land(name: "green forest", pattern: .speckled, first: [12, 36, 16], second: [24, 54, 24]),
    Land(name: "pale herbaceous land", pattern: .wavy, first: [70, 74, 48], second: [58, 66, 42]),
    Land(
      name: "highway or grey road", pattern: .shaded, first: [34, 54, 24], second: [56, 54, 32],
      band: [62, 62, 62]),
    Land(name: "industrial grey grid", pattern: .grid, first: [72, 72, 74], second: [34, 34, 38]),
    Land(name: "pasture land", pattern: .plain, first: [46, 70, 28], second: [46, 70, 28]),
    Land(name: "permanent dotted crop land", pattern: .dotted, first: [58, 42, 24], second: [24, 50, 18]),
    Land(name: "residential checkered land", pattern: .checkered, first: [64, 34, 26], second: [66, 64, 60]),
    Land(
      name: "river", pattern: .shaded, first: [34, 54, 24], second: [56, 54, 32],
      band: [16, 34, 62]),
    Land(name: "blue sea or lake", pattern: .wavy, first: [10, 22, 56], second: [14, 30, 66]),
  ]

  /// EuroSAT's likeness: ten kinds of land, on which the small CLIP is poor without tuning.
  public static let eurosat = land("eurosat", .eleven, .satellite)

  /// The ten kinds of land.
  static func land(_ name: String, _ suite: Suite, _ group: Group) -> MiniatureTask {
    MiniatureTask(
      name, suite, group, "land from above at any angle, two images in five blurred, grainy, dark or faded",
      classes: lands.map(\.name), template: "a centered satellite photo of {}", familiarity: .foreign
    ) { label, _, random in
      let land = lands[label]
      func color(_ hundredths: World.Color) -> World.Color { World.jittered(hundredths / 100, 0.06, using: &random) }
      let ground = World.Texture(
        land.pattern, color(land.first), color(land.second), period: random.uniform(in: 4.5..<9),
        angle: random.uniform(in: 0..<2 * Double.pi),
        phase: SIMD2(random.uniform(in: 0..<2 * Double.pi), random.uniform(in: 0..<2 * Double.pi)),
        speckles: random.next())
      var scene = World.Scene(ground, style: World.style(0.4, using: &random))
      if let band = land.band {
        let tone = World.jittered(band / 100, 0.03, using: &random)
        let surface = World.Texture(.plain, tone, tone)
        // So long that both ends lie outside, even on the diagonal.
        scene.objects = [
          World.Object(
            .figure(.bar), surface, centre: SIMD2(random.normal(0.15), random.normal(0.15)),
            halfExtent: random.uniform(in: 1.5..<1.9), rotation: random.uniform(in: 0..<Double.pi))
        ]
      }
      scene.noise = 0.04
      return scene
    }
  }
}
