import Models
import Tensor

/// The text classifier and a Gaussian one, blended (Wang et al., *A Hard-to-Beat Baseline for Training-Free CLIP-Based
/// Adaptation*, ICLR 2024, eq. 6).
///
///     z_c = s ⟨f, t_c⟩ + a (⟨w_c, f⟩ + b_c),   f, t of length 1
///
/// - W: [classes, embedding], b: [classes], of `GaussianFit`; a is chosen among powers of ten.
struct GaussianClassifier: Head {
  /// T: [classes, embedding]
  let textFeatures: Tensor
  /// log s
  let logitScale: Parameter
  /// W and b.
  let weight, bias: Tensor
  /// a
  var blend: Real
  /// The features it was fitted to; `nil` for one that is read.
  var trainingExamples: HeadExamples?
  /// Whether a is chosen.
  var isSearched = false

  /// None.
  var trainables: [Trainable] { [] }

  /// f / ‖f‖
  func prepared(_ features: Variable) -> Variable { features.l2Normalized() }

  /// z
  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    logits(prepared: prepared(features), values, pass)
  }

  /// z for f / ‖f‖ (GDA (e)).
  func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    features.contrastiveLogitsOfUnits(classifier: Variable(textFeatures), logitScale: logitScale, pass)
      .adding(features.linear(Variable(weight), bias: Variable(bias)), scale: blend)
  }

  /// The values of a that are tried, of equal ones the smallest kept (GDA (f)).
  static let blends: [Real] = [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100]

  /// a
  var choiceNames: [String] { isSearched ? ["blend"] : [] }

  /// The head with the a of most correct answers (GDA (f)).
  func chosen(_ values: [Tensor], on examples: HeadExamples) -> (head: any Head, choices: [String: Double]) {
    let features = Variable(examples.unitFeatures)
    var (best, correct) = (self, -1)
    for blend in Self.blends {
      var head = self
      head.blend = blend
      let found = examples.correct(head.logits(prepared: features, [], Pass()).value)
      if found > correct { (best, correct) = (head, found) }
    }
    return (best, ["blend": Double(best.blend)])
  }

  /// W, b and a.
  func write(_ values: [Tensor], to delta: inout Delta) {
    delta.keep(["gaussian.weight": weight, "gaussian.bias": bias], settings: ["blend": blend])
  }
}

/// W, b and a in a delta.
enum GaussianDelta: StoredHead {
  static let subject = "a Gaussian classifier blended with texts"

  static func extents(classes: Int, width: Int) -> [String: [Int?]] {
    ["gaussian.weight": [classes, width], "gaussian.bias": [classes]]
  }

  static func head(
    _ tensors: [String: Tensor], _ description: Delta.Description, textFeatures: Tensor, logitScale: Parameter
  ) -> any Head {
    GaussianClassifier(
      textFeatures: textFeatures, logitScale: logitScale, weight: tensors["gaussian.weight"] ?? .zeros([]),
      bias: tensors["gaussian.bias"] ?? .zeros([]), blend: description.setting("blend"))
  }
}
