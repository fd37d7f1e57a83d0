import Models
import Tensor

/// One trained row per class, which starts at the text features of the tuned text tower and is normalised in every pass
/// (2SFS (c), (d)).
///
/// - w: [classes, embedding]. While the encoder is trained they are t / ‖t‖ of that step, with their gradient.
struct TextRows: ContrastiveHead {
  /// The prompts of the classes, with the text tower.
  let texts: ClassTexts
  /// log s
  let logitScale: Parameter
  /// w on the frozen towers.
  let trainables: [Trainable]

  /// Rows at their start; textFeatures: those of the frozen text tower, [classes, embedding].
  init(texts: ClassTexts, textFeatures: Tensor, logitScale: Parameter) {
    (self.texts, self.logitScale) = (texts, logitScale)
    trainables = [Trainable(TextRowDelta.name, Variable(textFeatures).l2Normalized().value)]
  }

  /// t / ‖t‖ (2SFS (c))
  func start(_ pass: Pass) -> [Variable] { [texts.classifier(pass).l2Normalized()] }

  /// w
  func classifier(_ values: [Variable]) -> Variable { values[0] }
}

/// w in a delta.
enum TextRowDelta: StoredHead {
  static let subject = "rows of a text classifier"
  private static let part = "rows"
  /// The name of the tensor.
  static let name = DeltaEntry.classifier(part: part).name

  static func extents(classes: Int, width: Int) -> [String: [Int?]] { [part: [classes, width]] }

  static func head(
    _ tensors: [String: Tensor], _ description: Delta.Description, textFeatures: Tensor, logitScale: Parameter
  ) -> any Head {
    ZeroShot(textFeatures: tensors[part] ?? textFeatures, logitScale: logitScale)
  }

  /// Selective inference: a class that was not trained on has the features of its text beside the rows (2SFS (e)).
  static let rowsBesideTexts: String? = name
}
