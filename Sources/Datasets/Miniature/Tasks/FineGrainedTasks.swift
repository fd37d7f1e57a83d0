import Tensor

/// Tasks about the kind of one object.
extension MiniatureTask {
  private typealias World = Miniature

  /// Resembles Oxford Pets: three animals in four coats. The captions of pretraining never say "animal".
  ///
  /// The coats are in the order of labels, so that the classes of either half show all animals.
  static let pets = {
    let kinds = [World.Pattern.plain, .striped, .dotted, .speckled].flatMap { coat in
      [World.Figure.fish, .heart, .star].map { (coat, $0) }
    }
    return MiniatureTask(
      "pets", .eleven, .fineGrained, "three shapes in four patterns, finer than in pretraining, with an unknown word",
      classes: kinds.map { "\($0.rawValue) \($1.rawValue)" }, template: "a photo of a {} a type of animal"
    ) { label, _, random in
      let (coat, figure) = kinds[label]
      var scene = World.thing(.figure(figure), random.pick(World.Hue.allCases), coat, using: &random)
      scene.objects[0].texture.period *= 0.7
      return scene
    }
  }()

  /// Resembles Stanford Cars: size, colour and shape, in light of any colour.
  static let cars = {
    let kinds = [World.Hue.red, .blue, .yellow, .black].flatMap { hue in
      [World.Size.small, .large].flatMap { size in [World.Figure.arrow, .oval, .bar].map { (size, hue, $0) } }
    }
    return MiniatureTask(
      "cars", .eleven, .fineGrained, "size, colour and shape, under coloured light and at sizes that nearly meet",
      classes: kinds.map { "\($0.rawValue) \($1.rawValue) \($2.rawValue)" }, template: "a photo of a {}"
    ) { label, _, random in
      let (size, hue, figure) = kinds[label]
      var scene = World.thing(
        .figure(figure), hue, .plain, halfExtent: size.halfExtent * random.uniform(in: 0.85..<1.12), using: &random)
      scene.tint = World.Color(
        random.uniform(in: 0.55..<1.2), random.uniform(in: 0.55..<1.2), random.uniform(in: 0.55..<1.2))
      return scene
    }
  }()

  /// Resembles Oxford Flowers: colour and species, where a species is a number of petals.
  static func flowers(_ name: String, _ suite: Suite, _ group: Group) -> MiniatureTask {
    let kinds = [World.Hue.red, .yellow, .purple, .white].flatMap { hue in
      World.Figure.species.map { (hue: hue, species: $0) }
    }
    return MiniatureTask(
      name, suite, group, "colour and number of petals, rotated and seen at an angle",
      classes: kinds.map { "\($0.hue.rawValue) \($0.species.rawValue)" }, template: "a photo of a {} a type of flower"
    ) { label, _, random in
      let kind = kinds[label]
      var scene = World.thing(.figure(kind.species), kind.hue, .plain, halfExtent: 0.8, turned: 0.5, using: &random)
      scene.objects[0].foreshortening = random.uniform(in: 0.6..<1)
      return scene
    }
  }

  /// Resembles Food-101, wrong labels included: shapes on a plate.
  static let food = {
    let others: Set<World.Figure> = [.circle, .square, .hexagon, .diamond, .pentagon, .oval, .ring, .dome]
    let dishes = World.Figure.shapes.filter { !others.contains($0) }
    return MiniatureTask(
      "food", .eleven, .fineGrained, "shapes on a plate; one label in five of train and val is random",
      classes: dishes.map(\.rawValue), template: "a photo of a {} inside a circle"
    ) { label, split, random in
      let dish = split != .test && random.chance(0.2) ? random.pick(dishes) : dishes[label]
      let plate = random.pick(World.Hue.allCases)
      let hue = random.pick(World.Hue.allCases, not: plate)
      var scene = World.thing(.figure(.circle), plate, .plain, halfExtent: 1.05, turned: 0, using: &random)
      scene.objects[0].centre *= 0.4
      scene.objects.append(
        World.Object(
          .figure(dish), World.objectSurface(hue, .plain, using: &random),
          centre: scene.objects[0].centre + SIMD2(random.normal(0.06), random.normal(0.06)),
          halfExtent: 0.54 * random.uniform(in: 0.9..<1.1), rotation: random.normal(0.2)))
      return scene
    }
  }()

  /// Resembles FGVC Aircraft: one silhouette with three details, under names that say nothing.
  static let aircraft = {
    // The words differ in sound and spelling, so that their tokens do not coincide in a vocabulary of 64 unknown ones.
    let names = [
      "heron", "falcon", "osprey", "kestrel", "merlin", "condor", "plover", "curlew",
      "bittern", "egret", "lapwing", "dunlin", "gannet", "wigeon", "siskin", "jackdaw",
    ]
    return MiniatureTask(
      "aircraft", .eleven, .fineGrained, "wings swept in four ways at two positions, two tails; names without meaning",
      classes: names, template: "a photo of a {} a type of aircraft", familiarity: .foreign
    ) { label, _, random in
      let outline = World.Outline.plane(
        sweep: [0, 0.35, 0.7, -0.35][label / 4], wings: label / 2 % 2 == 0 ? 0.25 : -0.25,
        tail: label % 2 == 0 ? 0.22 : 0.5)
      let skies = [World.Hue.blue, .grey, .white, .teal]
      return World.thing(
        outline, random.pick(World.Hue.allCases), .plain, halfExtent: 0.86, plainGround: 0.7, grounds: skies,
        using: &random)
    }
  }()
}
