import Tensor

extension MiniatureTask {
  private typealias World = Miniature

  /// Resembles UCF-101: the relation of one object to another, here its position.
  static let relations = {
    let pairs: [(World.Figure, World.Figure)] = [
      (.circle, .square), (.star, .heart), (.triangle, .ring), (.house, .fish),
    ]
    let kinds = pairs.flatMap { pair in
      [World.Relation.leftOf, .rightOf, .above, .below].map { (pair.0, $0, pair.1) }
    }
    return MiniatureTask(
      "ucf", .eleven, .action, "which of two shapes is where, in grainy images; one in five a sketch or blurred",
      classes: kinds.map { "\($0.rawValue) \($1.rawValue) a \($2.rawValue)" }, template: "a photo of a {}"
    ) { label, _, random in
      let (one, relation, other) = kinds[label]
      let hue = random.pick(World.Hue.allCases)
      let otherHue = random.pick(World.Hue.allCases, not: hue)
      let objects = World.Arrangement.pair((one, hue), relation, (other, otherHue), using: &random)
      let ground = random.pick(World.Hue.allCases.filter { $0 != hue && $0 != otherHue })
      let cover = random.chance(0.4) ? World.Pattern.plain : random.pick(World.Pattern.mixed)
      var scene = World.Scene(
        World.backgroundSurface(ground, cover, using: &random), objects,
        style: random.chance(0.2) ? random.pick([.sketch, .blurred]) : .photo)
      scene.noise = 0.09
      return scene
    }
  }()
}
