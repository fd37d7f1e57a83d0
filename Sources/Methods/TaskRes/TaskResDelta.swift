import Models
import Tensor

/// The residuals that a delta keeps of TaskRes, and their α.
enum TaskResDelta: DeltaPart {
  private static let (text, image, alpha) = (
    DeltaEntry.residual.name, DeltaEntry.imageResidual.name, DeltaEntry.learnedAlpha.name
  )

  /// The setting that is 1 where text features are scaled to length 1 before the residual is added.
  static let unitText = "unitText"

  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    guard delta.description.alpha != nil else { return [:] }
    return [
      text: DeltaShape(extents: [delta.description.classes.count, featureWidth], isRequired: false),
      image: DeltaShape(extents: [featureWidth], isRequired: false),
      alpha: DeltaShape(extents: [1], isRequired: false),
    ]
  }

  static func expectation(
    of entry: DeltaEntry, in delta: Delta, featureWidth: Int
  ) -> (expected: String, found: String)? {
    guard entry == .residual else { return nil }
    let (shape, alpha) = (delta.tensors[text]?.shape, delta.description.alpha)
    return (
      "tensor \"\(text)\" of shape \(Shape([delta.description.classes.count, featureWidth])) and its alpha",
      "\"\(text)\" of shape \(shape.map { "\($0)" } ?? "none"), alpha \(alpha.map { "\($0)" } ?? "none")"
    )
  }

  static func head(of delta: Delta, text features: (features: Tensor, logitScale: Parameter)?) -> (any Head)? {
    let (onText, onImages, learned) = (delta.tensors[text], delta.tensors[image], delta.tensors[alpha])
    guard onText != nil || onImages != nil, let features else { return nil }
    let isUnit = delta.description.setting(unitText) > 0
    let start = TaskRes(
      textFeatures: isUnit ? Variable(features.features).l2Normalized().value : features.features,
      alpha: Real(delta.description.alpha ?? 0), logitScale: features.logitScale,
      form: onText == nil ? .image : onImages == nil ? .text : .both, learnsAlpha: learned != nil)
    return FixedHead(head: start, values: [onText, onImages, learned].compactMap(\.self))
  }

  static func mergedHead(of delta: Delta) throws(ExportError) -> [(site: String, value: Tensor)] {
    guard delta.tensors[text] == nil, delta.tensors[image] == nil else {
      throw ExportError("a delta of weights", found: "a residual on text features, which belong to no weight")
    }
    return []
  }
}
