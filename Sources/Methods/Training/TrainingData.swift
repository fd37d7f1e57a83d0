import Datasets
import Foundation
import Tensor

/// The pictures of a run: the training split after few-shot sampling, the validation split, and the sealed test split.
public struct TrainingData: Sendable {
  /// The folder they come from.
  public let folder: ImageFolder
  /// The training pictures.
  public let train: ImageSet
  /// The validation pictures, if the folder has such a split.
  public let validation: ImageSet?
  /// Training and validation pictures that were left out because they cannot be read.
  public let unreadable: [ImageError]

  /// Draws `shots` pictures a class, or takes all for `nil`.
  ///
  /// - Throws: `FewShot.TooFewImages` for a class with fewer pictures, or none that can be read.
  public init(_ folder: ImageFolder, shots: Int?, seed: Int, skipsUnreadable: Bool = false) throws {
    self.folder = folder
    var (train, validation) = (folder.train, folder.validation)
    var unreadable: [ImageError] = []
    if skipsUnreadable {
      (train, unreadable) = train.readable()
      if let readable = validation?.readable() {
        validation = readable.set
        unreadable += readable.unreadable
      }
    }
    let rule = FewShot(shots.map { .count($0) } ?? .all, seed: seed)
    (self.train, self.validation) = try rule.drawn(train: train, validation: validation)
    self.unreadable = unreadable
  }

  /// The SHA-256 of the names and labels of all training and validation pictures, in order.
  public var sha256: String {
    var hash = SHA256()
    for (split, set) in [("train", train), ("val", validation)] {
      for item in set?.items ?? [] {
        let path = item.url.pathComponents.suffix(2).joined(separator: "/")
        hash.update(Array("\(split)/\(path)\t\(item.label)\n".utf8))
      }
    }
    return hash.digest.description
  }
}
