import Models
import Tensor

/// The residual that a delta keeps of TaskRes, and its α.
enum TaskResDelta: DeltaPart {
  private static let name = DeltaEntry.residual.name

  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    guard delta.description.alpha != nil else { return [:] }
    return [name: DeltaShape(extents: [delta.description.classes.count, featureWidth], isRequired: false)]
  }

  static func expectation(
    of entry: DeltaEntry, in delta: Delta, featureWidth: Int
  ) -> (expected: String, found: String)? {
    guard entry == .residual else { return nil }
    let (shape, alpha) = (delta.tensors[name]?.shape, delta.description.alpha)
    return (
      "tensor \"\(name)\" of shape \(Shape([delta.description.classes.count, featureWidth])) and its alpha",
      "\"\(name)\" of shape \(shape.map { "\($0)" } ?? "none"), alpha \(alpha.map { "\($0)" } ?? "none")"
    )
  }

  static func head(of delta: Delta, text: (features: Tensor, logitScale: Parameter)?) -> (any Head)? {
    guard let residual = delta.tensors[name], let text else { return nil }
    let start = TaskRes(
      textFeatures: text.features, alpha: Real(delta.description.alpha ?? 0), logitScale: text.logitScale)
    return TunedTaskRes(start: start, residual: residual)
  }

  static func mergedHead(of delta: Delta) throws(ExportError) -> [(site: String, value: Tensor)] {
    guard delta.tensors[name] == nil else {
      throw ExportError("a delta of weights", found: "a residual on text features, which belong to no weight")
    }
    return []
  }
}

/// A residual that is no longer trained.
private struct TunedTaskRes: ContrastiveHead {
  let start: TaskRes
  let residual: Tensor

  var trainables: [Trainable] { [] }
  var logitScale: Parameter { start.logitScale }

  func classifier(_ values: [Variable]) -> Variable { start.classifier([Variable(residual)]) }
}
