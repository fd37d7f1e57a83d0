import Datasets
import Formats
import Foundation
import Tensor

/// The images of a run: the training split after few-shot sampling, the validation split, and the sealed test split.
public struct TrainingData: Sendable {
  /// The folder they come from, with the classes that are trained on.
  public let folder: ImageFolder
  /// The same folder with the new classes, if only base classes are trained on.
  public let unseen: ImageFolder?
  /// The training images.
  public let train: ImageSet
  /// The validation images, if the folder has such a split.
  public let validation: ImageSet?
  /// Training and validation images skipped because they cannot be read.
  public let unreadable: [ImageError]
  /// The classes that have fewer training images than shots, all of which are used.
  public let short: [FewShot.TooFewImages]

  /// Samples `shots` images per class, or uses all for `nil`.
  ///
  /// A class with fewer images yields all it has, as Dassl's sampler does for the published runs, unless `isStrict`.
  /// Images are sampled from all classes, of which `classes` are then kept, as CoOp does: a base class has the images
  /// that it has in a run on all classes with the same seed.
  /// - Throws: `FewShot.TooFewImages` for a class without an image that can be read, and if `isStrict` for one with
  ///   fewer than `shots`; `RunError` if there are no new classes besides the base ones, or none of either with test
  ///   images.
  public init(
    _ folder: ImageFolder, shots: Int?, seed: Int, skipsUnreadable: Bool = false, classes: ClassPart = .all,
    isStrict: Bool = false
  ) throws {
    try self.init(
      folder, shots: shots, seed: seed, skipsUnreadable: skipsUnreadable, classes: classes, isStrict: isStrict, nil)
  }

  /// The same before those who see which images are sampled, and may replace them.
  init(
    _ folder: ImageFolder, shots: Int?, seed: Int, skipsUnreadable: Bool, classes: ClassPart, isStrict: Bool,
    _ draws: RunDraws?
  ) throws {
    self.folder = folder.keeping(classes)
    unseen = classes == .base ? folder.keeping(.new) : nil
    if let unseen {
      guard !unseen.folders.isEmpty else {
        throw RunError(
          "\(folder.root.shown): expected 2 classes or more to learn the base ones, found \(folder.folders.count)")
      }
      for (part, name) in [(self.folder, "base"), (unseen, "new")] where part.test.count == 0 {
        throw RunError("\(folder.root.shown): expected test images of \(name) classes, found none")
      }
    }
    var (train, validation) = (folder.train, folder.validation)
    var unreadable: [ImageError] = []
    if skipsUnreadable {
      (train, unreadable) = train.readable()
      if let readable = validation?.readable() {
        validation = readable.set
        unreadable += readable.unreadable
      }
    }
    let rule = FewShot(shots.map { .count($0) } ?? .all, seed: seed, allowsFewer: !isStrict)
    var drawn = try rule.drawn(train: train, validation: validation)
    if let draws { drawn.train = try draws.images(drawn.train, of: train) }
    (self.train, self.validation) = (drawn.train.keeping(classes), drawn.validation?.keeping(classes))
    self.unreadable = unreadable
    short = zip(self.train.classes, self.train.countByClass).compactMap { name, count in
      shots.flatMap { $0 > count ? .init(className: name, expected: $0, found: count) : nil }
    }
  }

  /// What a user should know about the images: classes that have fewer of them than shots.
  public var notes: [String] {
    guard let first = short.first else { return [] }
    let shown = short.prefix(5).map { "\($0.className) \($0.found)" }.joined(separator: ", ")
    return [
      "warning: \(short.count) \(short.count == 1 ? "class has" : "classes have") fewer training images than "
        + "\(first.expected), all of which are used: \(shown)\(short.count > 5 ? ", …" : "")"
    ]
  }

  /// The split of every image as a list of comma-separated values, if it was drawn.
  package var splitList: [UInt8]? {
    guard folder.drawn != nil else { return nil }
    return ImageFolder.splitHeader + folder.splitRows + (unseen?.splitRows ?? [])
  }

  /// The SHA-256 of the names and labels of all training and validation images, in order.
  public var sha256: String { digest([("train", train), ("val", validation)]) }

  /// The same of all test images, those of new classes last; the images themselves are not looked at.
  package var testSHA256: String { digest([("test", folder.test), ("new", unseen?.test)]) }

  private func digest(_ splits: [(name: String, set: ImageSet?)]) -> String {
    var hash = SHA256()
    for (name, set) in splits {
      for item in set?.items ?? [] {
        hash.update(Array("\(name)/\(folder.path(of: item))\t\(item.label)\n".utf8))
      }
    }
    return hash.digest.description
  }
}
