import Tensor

/// The few images of each class to train on, sampled exactly like the published CoOp splits (Zhou et al. 2022).
///
/// Python's generator is seeded once. Class by class, in the order in which classes first appear in train, K images are
/// drawn without replacement; then min(K, 4) of each class of the validation split, from the same generator. The images
/// keep the order in which they were drawn.
public struct FewShot: Hashable, Sendable {
  /// The number of images sampled from each class.
  public enum Shots: Hashable, Sendable {
    /// Every image, in the order of the dataset; the validation split stays whole, too.
    case all
    /// This many of each class.
    case count(Int)
  }

  /// A class with fewer images than requested.
  public struct TooFewImages: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name of the class.
    public let className: String
    /// The number requested.
    public let expected: Int
    /// The number available.
    public let found: Int

    /// The message: expected and found.
    public var description: String {
      "class \"\(className)\": expected at least \(expected) training image\(expected == 1 ? "" : "s"), found \(found)"
    }

    /// A class by its name and its images.
    public init(className: String, expected: Int, found: Int) {
      (self.className, self.expected, self.found) = (className, expected, found)
    }
  }

  /// The most validation images of a class that go with few shots.
  package static let mostValidationShots = 4

  /// The number of images sampled from each class.
  public let shots: Shots
  /// The seed; published results use 1, 2 and 3.
  public let seed: Int
  /// True if a training class with fewer images yields all it has, as in the authors' code, instead of an error; none
  /// at all is an error all the same.
  public let allowsFewer: Bool

  /// A sampling rule; traps on fewer than 1 shot.
  public init(_ shots: Shots, seed: Int, allowsFewer: Bool = false) {
    if case .count(let count) = shots { require(count > 0, "FewShot: expected 1 or more shots, found \(count)") }
    self.shots = shots
    self.seed = seed
    self.allowsFewer = allowsFewer
  }

  /// Samples from both splits.
  ///
  /// A class with fewer validation images than min(K, 4) yields all it has, without sampling.
  /// - Throws: `TooFewImages` if a training class has none or, unless `allowsFewer`, fewer than K images.
  public func drawn(
    train: ImageSet, validation: ImageSet? = nil
  ) throws(TooFewImages) -> (train: ImageSet, validation: ImageSet?) {
    let needed = if case .count(let count) = shots, !allowsFewer { count } else { 1 }
    for (label, found) in train.countByClass.enumerated() where found < needed {
      throw TooFewImages(className: train.classes[label], expected: needed, found: found)
    }
    guard case .count(let count) = shots else { return (train, validation) }
    var random = PythonRandom(seed: seed)
    let few = Self.draw(count, from: train, with: &random)
    let check = validation.map { Self.draw(min(count, Self.mostValidationShots), from: $0, with: &random) }
    return (few, check)
  }

  private static func labelsByAppearance(_ set: ImageSet) -> [Int] {
    var seen: Set<Int> = []
    return set.items.map(\.label).filter { seen.insert($0).inserted }
  }

  private static func draw(_ count: Int, from set: ImageSet, with random: inout PythonRandom) -> ImageSet {
    let byLabel = Dictionary(grouping: set.items, by: \.label)
    var items: [LabelledImage] = []
    for label in labelsByAppearance(set) {
      let images = byLabel[label]!
      items += images.count < count ? images : random.sample(count, of: images.count).map { images[$0] }
    }
    return ImageSet(items: items, classes: set.classes)
  }
}
