import Models
import Tensor

/// A linear classifier blended with the text classifier, class by class (Huang et al., *LP++*, CVPR 2024, eq. 3).
///
///     z_c = ⟨w_c, f⟩ + β_c + α_c ⟨t_c, f⟩,   f, t of length 1; no scale
///
/// `BlendFit` trains w, β and α on the features of all training images at once.
package struct BlendClassifier: Head {
  /// T with rows of length 1: [classes, embedding]
  let unitText: Tensor
  /// w: [classes, embedding]; β, α: [classes]
  let weight, bias, alpha: Tensor
  /// What it is fitted to and the seed of β; `nil` for one that is read.
  var fit: BlendFit?

  /// None.
  package var trainables: [Trainable] { [] }
  /// w, β and α.
  package var fittedCount: Int { fit == nil ? 0 : weight.count + bias.count + alpha.count }
  /// The features of which it was made.
  package var trainingExamples: HeadExamples? { fit?.examples }

  /// f / ‖f‖
  package func prepared(_ features: Variable) -> Variable { features.l2Normalized() }

  /// z
  package func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    logits(prepared: prepared(features), values, pass)
  }

  /// z for f / ‖f‖
  package func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    Self.logits(features, weight: Variable(weight), bias: Variable(bias), alpha: Variable(alpha), unitText: unitText)
  }

  /// z for features of length 1 (LP++ (a)).
  package static func logits(
    _ units: Variable, weight: Variable, bias: Variable, alpha: Variable, unitText: Tensor
  ) -> Variable {
    units.linear(weight, bias: bias).adding(units.linear(Variable(unitText)).scaledChannels(by: alpha))
  }

  /// The epoch whose values are kept.
  package var choiceNames: [String] { fit == nil ? [] : ["epoch"] }

  /// The values after the epoch of most correct answers, the last of several (LP++ (f)).
  package func chosen(_ values: [Tensor], on examples: HeadExamples) -> (head: any Head, choices: [String: Double]) {
    guard let fit else { return (self, [:]) }
    let units = Variable(examples.unitFeatures)
    var (best, epoch, correct) = (self, BlendFit.epochs, -1)
    fit.run { number, weight, bias, alpha in
      let head = Self(unitText: unitText, weight: weight, bias: bias, alpha: alpha, fit: fit)
      let found = examples.correct(head.logits(prepared: units, [], Pass()).value)
      if found >= correct { (best, epoch, correct) = (head, number, found) }
    }
    return (best, ["epoch": Double(epoch)])
  }

  /// w, β and α.
  package func write(_ values: [Tensor], to delta: inout Delta) {
    delta.keep(["blend.weight": weight, "blend.bias": bias, "blend.alpha": alpha])
  }
}

/// w, β and α in a delta.
enum BlendDelta: StoredHead {
  static let subject = "a linear classifier blended with texts"

  static func extents(classes: Int, width: Int) -> [String: [Int?]] {
    ["blend.weight": [classes, width], "blend.bias": [classes], "blend.alpha": [classes]]
  }

  static func head(
    _ tensors: [String: Tensor], _ description: Delta.Description, textFeatures: Tensor, logitScale: Parameter
  ) -> any Head {
    BlendClassifier(
      unitText: Variable(textFeatures).l2Normalized().value, weight: tensors["blend.weight"] ?? .zeros([]),
      bias: tensors["blend.bias"] ?? .zeros([]), alpha: tensors["blend.alpha"] ?? .zeros([]))
  }
}
