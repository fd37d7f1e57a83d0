import Formats
import Tensor

extension Miniature {
  /// An endless stream of pictures and captions to pretrain on; element `index` of a world depends on nothing else.
  public struct PretrainingStream: Sendable {
    /// A picture and what is said of it.
    public struct Pair: Sendable {
      /// 32 × 32
      public let image: Image
      /// English, lower case.
      public let caption: String
    }

    /// A picture of one object and its class.
    public struct Labelled: Sendable {
      /// 32 × 32
      public let image: Image
      /// The place of its class in `classes`.
      public let label: Int
    }

    /// The seed of the world.
    public let seed: UInt64

    /// The stream of a world.
    public init(seed: UInt64) { self.seed = seed }

    /// Picture and caption number `index`; easy ones of one object, in a stream of their own, for lessons.
    public func pair(_ index: Int, isLesson: Bool) -> Pair {
      var random = stream(seed: seed, isLesson ? "pretraining/lessons" : "pretraining/mixture", index: index)
      let (scene, caption) = isLesson ? Mixture.lesson(using: &random) : Mixture.scene(using: &random)
      return Pair(image: scene.rendered(using: &random), caption: caption)
    }

    /// What is said of picture number `index` of the mixture, without the picture.
    public func caption(_ index: Int) -> String {
      var random = stream(seed: seed, "pretraining/mixture", index: index)
      return Mixture.scene(using: &random).caption
    }

    /// The classes of pictures of one object: colour and shape, "red circle" first.
    public static let classes = Hue.allCases.flatMap { hue in Figure.allCases.map { "\(hue.rawValue) \($0.rawValue)" } }

    /// Picture and class number `index`.
    public func labelled(_ index: Int, isLesson: Bool) -> Labelled {
      var random = stream(seed: seed, isLesson ? "labelled/lessons" : "labelled/any", index: index)
      let subject = isLesson ? Subject.lesson(using: &random) : Subject.any(using: &random)
      let image = subject.scene(isLesson: isLesson, using: &random).rendered(using: &random)
      let (hue, figure) = (Hue.allCases.firstIndex(of: subject.hue), Figure.allCases.firstIndex(of: subject.figure))
      return Labelled(image: image, label: (hue ?? 0) * Figure.allCases.count + (figure ?? 0))
    }
  }
}
