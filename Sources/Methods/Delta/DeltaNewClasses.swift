import Tensor

extension Delta {
  /// The name of the rows of its classifier, if texts of other classes can stand beside them.
  private var rowsBesideTexts: String? {
    MethodList.deltaParts.lazy.compactMap { $0.rowsBesideTexts }.first { tensors[$0] != nil }
  }

  /// How its classifier goes with classes that it was not tuned on, of which it knows some; `nil` if it does not.
  package func meeting(_ classes: [String]) -> String? {
    if MethodList.deltaParts.contains(where: { $0.meetsNewClasses(self) }) {
      return "the names of the \(classes.count) classes stand in the context that the delta has learned"
    }
    guard rowsBesideTexts != nil else { return nil }
    let known = classes.count { description.classes.contains($0) }
    return "the delta has a row for \(known) of the \(classes.count) classes; its text tower makes the others"
  }

  /// The delta for other classes, by their names: those that it knows keep their rows, the others have the features of
  /// their texts, or all of them stand in the context that it has learned; the delta itself, if its classifier goes
  /// with no others.
  ///
  /// - texts: by the delta's text tower, [classes, embedding]; prompts: the names, and that tower.
  /// - Throws: `SettingError` for prompts that do not fit the text tower.
  package func extended(
    to classes: [String], texts: Tensor, prompts: PromptEncoder
  ) throws(SettingError) -> Delta {
    guard classes != description.classes else { return self }
    for part in MethodList.deltaParts {
      guard let (name, rows) = try part.textRows(of: self, for: prompts) else { continue }
      var extended = self
      extended.description.classes = classes
      extended.tensors[name] = rows
      return extended
    }
    return extended(to: classes, texts: texts)
  }

  func extended(to classes: [String], texts: Tensor) -> Delta {
    guard let name = rowsBesideTexts, let rows = tensors[name] else { return self }
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
