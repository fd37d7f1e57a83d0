import Formats
import Foundation
import Tensor

/// One image file and the class it shows.
public struct LabelledImage: Hashable, Sendable {
  /// The file.
  public let url: URL
  /// The index of its class.
  public let label: Int
  /// Its path in the dataset: `test/red_circle/00.png`.
  package let name: String

  /// A file of a class.
  public init(url: URL, label: Int) {
    self.init(url: url, label: label, name: url.pathComponents.suffix(3).joined(separator: "/"))
  }

  /// A file of a class, and its path in the dataset, as a string of `FileName`.
  package init(url: URL, label: Int, name: String) { (self.url, self.label, self.name) = (url, label, name) }
}

/// Images of known classes: one split of a dataset, or a part of one.
public struct ImageSet: Hashable, Sendable {
  /// The images; their order is that of the dataset and part of the meaning of a seed.
  public let items: [LabelledImage]
  /// The readable names of the classes, by label.
  public let classes: [String]

  /// Images of the given classes; traps on a label that has no class.
  public init(items: [LabelledImage], classes: [String]) {
    require(
      items.allSatisfy { classes.indices.contains($0.label) },
      "ImageSet: expected labels below \(classes.count), found a larger one")
    self.items = items
    self.classes = classes
  }

  /// The number of images.
  public var count: Int { items.count }

  /// The number of images of each class, by label.
  public var countByClass: [Int] {
    items.reduce(into: [Int](repeating: 0, count: classes.count)) { $0[$1.label] += 1 }
  }
}
