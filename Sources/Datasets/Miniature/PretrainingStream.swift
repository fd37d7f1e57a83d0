import Formats
import Tensor

extension Miniature {
  /// An endless stream of images and captions for pretraining; element `index` of a world depends on nothing else.
  package struct PretrainingStream: Sendable {
    /// An image and its caption.
    package struct Pair: Sendable {
      /// 32 × 32
      package let image: Image
      /// English, lower case.
      package let caption: String
    }

    /// An image of one object and its class.
    package struct Labelled: Sendable {
      /// 32 × 32
      package let image: Image
      /// The index of its class in `classes`.
      package let label: Int
    }

    /// The seed of the world.
    package let seed: UInt64

    /// The stream of a world.
    package init(seed: UInt64) { self.seed = seed }

    /// The image and caption of an index; for lessons, easy ones of one object from a separate stream.
    package func pair(_ index: Int, isLesson: Bool) -> Pair {
      var random = stream(seed: seed, isLesson ? "pretraining/lessons" : "pretraining/mixture", index: index)
      let (scene, caption) = isLesson ? Mixture.lesson(using: &random) : Mixture.scene(using: &random)
      return Pair(image: scene.rendered(using: &random), caption: caption)
    }

    /// The caption of an index of the mixture, without the image.
    package func caption(_ index: Int) -> String {
      var random = stream(seed: seed, "pretraining/mixture", index: index)
      return Mixture.scene(using: &random).caption
    }

    /// The classes of images of one object: colour and shape, "red circle" first.
    package static let classes =
      Hue.allCases.flatMap { hue in Figure.allCases.map { "\(hue.rawValue) \($0.rawValue)" } }

    /// The image and class of an index.
    package func labelled(_ index: Int, isLesson: Bool) -> Labelled {
      var random = stream(seed: seed, isLesson ? "labelled/lessons" : "labelled/any", index: index)
      let subject = isLesson ? Subject.lesson(using: &random) : Subject.any(using: &random)
      let image = subject.scene(isLesson: isLesson, using: &random).rendered(using: &random)
      let (hue, figure) = (Hue.allCases.firstIndex(of: subject.hue), Figure.allCases.firstIndex(of: subject.figure))
      return Labelled(image: image, label: (hue ?? 0) * Figure.allCases.count + (figure ?? 0))
    }
  }
}
