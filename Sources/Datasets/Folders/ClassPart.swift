/// A part of the classes of a dataset: CoOp's base-to-new split (Zhou et al., CVPR 2022, section 4.2).
///
/// Of n classes in the order of their labels the first ⌈n/2⌉ are base classes, which are trained on; the others are new
/// ones, which a tuned model gets by name only.
public enum ClassPart: String, Sendable, Codable, CaseIterable {
  /// Every class.
  case all
  /// The first ⌈n/2⌉.
  case base
  /// The last ⌊n/2⌋.
  case new

  /// The labels of the part, of `count` classes.
  package func labels(of count: Int) -> Range<Int> {
    let base = (count + 1) / 2
    return switch self {
    case .all: 0..<count
    case .base: 0..<base
    case .new: base..<count
    }
  }
}

extension ImageSet {
  /// The images of some classes in their order, with labels counted from 0.
  package func keeping(_ part: ClassPart) -> ImageSet {
    let labels = part.labels(of: classes.count)
    let kept = items.filter { labels.contains($0.label) }
    return ImageSet(
      items: kept.map { LabelledImage(url: $0.url, label: $0.label - labels.lowerBound, name: $0.name) },
      classes: Array(classes[labels]))
  }
}
