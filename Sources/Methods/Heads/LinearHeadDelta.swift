import Models
import Tensor

/// The linear head that a delta keeps: `head.weight` and `head.bias`.
enum LinearHeadDelta: DeltaPart {
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    let classes = delta.description.classes.count
    let hasHead = [DeltaEntry.headWeight, .headBias].contains { delta.tensors[$0.name] != nil }
    return [
      DeltaEntry.headWeight.name: DeltaShape(extents: [classes, featureWidth], isRequired: hasHead),
      DeltaEntry.headBias.name: DeltaShape(extents: [classes], isRequired: hasHead),
    ]
  }

  static func head(of delta: Delta, text: (features: Tensor, logitScale: Parameter)?) -> (any Head)? {
    guard let weight = delta.tensors[DeltaEntry.headWeight.name], let bias = delta.tensors[DeltaEntry.headBias.name]
    else { return nil }
    return FixedLinearHead(weight: weight, bias: bias)
  }

  static func mergedHead(of delta: Delta) throws(ExportError) -> [(site: String, value: Tensor)] {
    [(DeltaEntry.headWeight, "head"), (.headBias, "head.bias")].compactMap { entry, site in
      delta.tensors[entry.name].map { (site, $0) }
    }
  }
}

/// A linear head that is no longer trained.
struct FixedLinearHead: Head {
  /// V: [classes, width]
  let weight: Tensor
  /// c: [classes]
  let bias: Tensor?

  var trainables: [Trainable] { [] }

  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    features.linear(Variable(weight), bias: bias.map { Variable($0) })
  }
}
