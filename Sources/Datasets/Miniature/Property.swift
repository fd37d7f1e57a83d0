import Formats
import Tensor

extension Miniature {
  /// The properties that monitor pretraining: one at a time, everything else being random.
  package enum Property: String, Sendable, CaseIterable {
    case shape, color, texture, count

    /// One caption per class.
    package var captions: [String] {
      switch self {
      case .shape: Figure.allCases.map { "a photo of \(Words.article($0.rawValue))" }
      case .color: Hue.allCases.map { "a photo of \(Words.article($0.rawValue)) background" }
      case .texture: Pattern.allCases.map { "a photo of \(Words.article($0.rawValue)) texture" }
      case .count: (2...5).map { "a photo of \(Words.numbers[$0 - 1]) circles" }
      }
    }
  }
}

extension Miniature.PretrainingStream {
  /// Held-out image `index` of a property, which is not in the stream, and its class.
  package func example(of property: Miniature.Property, _ index: Int) -> (image: Image, label: Int) {
    typealias World = Miniature
    var random = World.stream(seed: seed, "property/\(property.rawValue)", index: index)
    let scene: World.Scene
    let label: Int
    switch property {
    case .shape:
      let subject = World.Subject.any(using: &random)
      label = World.Figure.allCases.firstIndex(of: subject.figure) ?? 0
      scene = subject.scene(isLesson: false, using: &random)
    case .color, .texture:
      let (hue, pattern) = (random.pick(World.Hue.allCases), random.pick(World.Pattern.allCases))
      label =
        property == .color
        ? World.Hue.allCases.firstIndex(of: hue) ?? 0 : World.Pattern.allCases.firstIndex(of: pattern) ?? 0
      scene = World.Scene(World.backgroundSurface(hue, pattern, using: &random))
    case .count:
      label = random.integer(below: 4)
      scene = World.Mixture.several(label + 2, using: &random).scene
    }
    return (scene.rendered(using: &random), label)
  }
}
