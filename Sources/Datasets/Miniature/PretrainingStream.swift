import Formats
import Tensor

extension Miniature {
  /// An endless stream of images, captions and labels for pretraining; element `index` of a world depends on nothing
  /// else.
  package struct PretrainingStream: Sendable {
    /// An image, its caption, and what both are about.
    package struct Pair: Sendable {
      /// 32 × 32
      package let image: Image
      /// English, lower case.
      package let caption: String
      /// What the image shows.
      package let facts: Facts
    }

    /// The seed of the world.
    package let seed: UInt64

    /// The stream of a world.
    package init(seed: UInt64) { self.seed = seed }

    /// The image and caption of an index; for lessons, easy ones of one object from a separate stream.
    package func pair(_ index: Int, isLesson: Bool) -> Pair {
      var random = stream(seed: seed, isLesson ? "pretraining/lessons" : "pretraining/mixture", index: index)
      let example = isLesson ? Mixture.lesson(using: &random) : Mixture.example(using: &random)
      return Pair(
        image: example.scene.rendered(using: &random), caption: example.caption, facts: example.facts)
    }

    /// The caption of an index of the mixture, without the image.
    package func caption(_ index: Int) -> String {
      var random = stream(seed: seed, "pretraining/mixture", index: index)
      return Mixture.example(using: &random).caption
    }
  }
}
