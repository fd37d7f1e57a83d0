import Tensor

extension Delta {
  /// The name of the rows of its classifier, if texts of other classes can stand beside them.
  private var rowsBesideTexts: String? {
    MethodList.deltaParts.lazy.compactMap { $0.rowsBesideTexts }.first { tensors[$0] != nil }
  }

  /// Whether its classifier goes with classes that it was not tuned on.
  package var takesNewClasses: Bool { rowsBesideTexts != nil }

  /// The delta for other classes, by their names: those that it knows keep their rows, the others have the features of
  /// their texts; the delta itself, if its classifier has no such rows.
  ///
  /// - texts: by the delta's text tower, [classes, embedding].
  package func extended(to classes: [String], texts: Tensor) -> Delta {
    guard let name = rowsBesideTexts, let rows = tensors[name], classes != description.classes else { return self }
    let known = Dictionary(description.classes.enumerated().map { ($1, $0) }) { first, _ in first }
    let width = rows.shape.width
    let values = classes.enumerated().flatMap { index, name in
      let (source, row) = known[name].map { (rows, $0) } ?? (texts, index)
      return source.values[row * width..<(row + 1) * width]
    }
    var extended = self
    extended.description.classes = classes
    extended.tensors[name] = Tensor([classes.count, width], values)
    return extended
  }
}
