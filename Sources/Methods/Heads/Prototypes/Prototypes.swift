import Models
import Tensor

/// One trained row per class, held near the text features (Silva-Rodríguez et al., *A Closer Look at the Few-Shot
/// Adaptation of Large Vision-Language Models*, CVPR 2024, CLAP).
///
///     z_c = s ⟨f / ‖f‖, w_c / ‖w_c‖⟩,   ℒ = ℒ_ce + (1/C) Σ_c λ_c ‖w_c − t_c‖²           (eq. 5; CLAP (a), (b))
///     λ_c = mean over the training images of class c, in all views, of softmax(z⁰)_c                (CLAP (c))
///
/// - w starts at t, raw and not normalised: the norm of t decides how strong the penalty is. z⁰ are the logits at the
///   start; λ stays as it is. ∂/∂w_c of the penalty: 2 λ_c (w_c − t_c) / C.
struct Prototypes: ContrastiveHead {
  /// t: [classes, embedding]
  let textFeatures: Tensor
  /// log s
  let logitScale: Parameter
  /// λ_c / C, once for each element of the row: [classes · embedding]
  private let weights: Tensor
  /// The features that are trained on with a frozen encoder.
  let trainingExamples: HeadExamples?

  /// The rows at their start, with the penalty that the examples ask for.
  init(textFeatures: Tensor, logitScale: Parameter, examples: HeadExamples) {
    (self.textFeatures, self.logitScale, trainingExamples) = (textFeatures, logitScale, examples)
    let multipliers = Self.multipliers(textFeatures, logitScale, examples)
    let (classes, width) = (textFeatures.shape[0], textFeatures.shape[1])
    weights = Tensor(
      [classes * width], multipliers.flatMap { Array(repeating: Real($0 / Double(classes)), count: width) })
  }

  /// λ: [classes] (CLAP (c)); 0 for a class without examples.
  static func multipliers(_ textFeatures: Tensor, _ logitScale: Parameter, _ examples: HeadExamples) -> [Double] {
    let classes = textFeatures.shape[0]
    let probabilities = Variable(examples.features)
      .contrastiveLogits(classifier: Variable(textFeatures), logitScale: logitScale, Pass()).softmax().value.values
    var (sums, counts) = ([Double](repeating: 0, count: classes), [Double](repeating: 0, count: classes))
    for (row, label) in examples.labels.enumerated() {
      sums[Int(label)] += Double(probabilities[row * classes + Int(label)])
      counts[Int(label)] += 1
    }
    return zip(sums, counts).map { $0 / max(1, $1) }
  }

  /// w
  var trainables: [Trainable] {
    [Trainable(DeltaEntry.classifier(part: "prototypes").name, textFeatures)]
  }

  /// w
  func classifier(_ values: [Variable]) -> Variable { values[0] }

  /// (1/C) Σ_c λ_c ‖w_c − t_c‖² (CLAP (b), (d)).
  func penalty(_ values: [Variable]) -> Variable? {
    let shift = values[0].adding(Variable(textFeatures), scale: -1).reshaped(to: [1, textFeatures.count])
    return shift.scaledChannels(by: Variable(weights)).dot(shift)
  }
}

/// w in a delta.
enum PrototypeDelta: StoredHead {
  static let subject = "rows of a text classifier"

  static func extents(classes: Int, width: Int) -> [String: [Int?]] { ["prototypes": [classes, width]] }

  static func head(
    _ tensors: [String: Tensor], _ description: Delta.Description, textFeatures: Tensor, logitScale: Parameter
  ) -> any Head {
    ZeroShot(textFeatures: tensors["prototypes"] ?? textFeatures, logitScale: logitScale)
  }
}
