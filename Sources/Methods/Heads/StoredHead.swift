import Models
import Tensor

/// A part of a delta that holds a classifier which no weight of the model can: its tensors, all or none, and how the
/// head is made of them.
protocol StoredHead: DeltaPart {
  /// What it is, in messages: `a cache of training features`.
  static var subject: String { get }
  /// Its tensors by the part of their names, with their extents; `nil` for any extent.
  static func extents(classes: Int, width: Int) -> [String: [Int?]]
  /// The head of its tensors.
  static func head(
    _ tensors: [String: Tensor], _ description: Delta.Description, textFeatures: Tensor, logitScale: Parameter
  ) -> any Head
}

extension StoredHead {
  /// Its tensors in a delta by the part of their names; `nil` in a delta without.
  static func tensors(of delta: Delta) -> [String: Tensor]? {
    let names = extents(classes: 0, width: 0).keys
    let found = names.compactMap { part in
      delta.tensors[DeltaEntry.classifier(part: part).name].map { (part, $0) }
    }
    return found.isEmpty ? nil : Dictionary(uniqueKeysWithValues: found)
  }

  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    guard tensors(of: delta) != nil else { return [:] }
    let own = extents(classes: delta.description.classes.count, width: featureWidth)
    return Dictionary(
      uniqueKeysWithValues: own.map { (DeltaEntry.classifier(part: $0).name, DeltaShape(extents: $1)) })
  }

  static func head(of delta: Delta, text: (features: Tensor, logitScale: Parameter)?) -> (any Head)? {
    guard let text, let tensors = tensors(of: delta) else { return nil }
    return head(tensors, delta.description, textFeatures: text.features, logitScale: text.logitScale)
  }

  static func mergedHead(of delta: Delta) throws(ExportError) -> [(site: String, value: Tensor)] {
    guard tensors(of: delta) == nil else {
      throw ExportError("a delta of weights", found: "\(subject), which belongs to no weight")
    }
    return []
  }
}

extension Delta {
  /// Keeps the tensors of a head by the part of their names, and its settings.
  mutating func keep(_ parts: [String: Tensor], settings: [String: Real] = [:]) {
    for (part, tensor) in parts { tensors[DeltaEntry.classifier(part: part).name] = tensor }
    guard !settings.isEmpty else { return }
    description.settings = (description.settings ?? [:])
      .merging(settings.mapValues { Double($0) }) { _, new in new }
  }
}

extension Delta.Description {
  /// A number that a head is made with; 0 where it is missing.
  func setting(_ name: String) -> Real { Real(settings?[name] ?? 0) }
}
