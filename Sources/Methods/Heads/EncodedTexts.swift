import Models
import Tensor

/// The prompts of the classes as a text tower reads them, for a classifier whose text tower is tuned.
package struct ClassTexts: Sendable {
  /// The frozen text tower.
  let tower: TextTransformer
  /// The ids of all prompts, class by class, and in each the index of the token that is read.
  private let rows: [[Int32]], ends: [Int]
  /// Prompts per class.
  private let templates: Int
  private let ensembling: TextEnsembling

  /// Prompts by their tokens.
  package init(
    _ tower: TextTransformer, rows: [[Int32]], ends: [Int], templates: Int = 1, ensembling: TextEnsembling = .rawMean
  ) {
    (self.tower, self.rows, self.ends) = (tower, rows, ends)
    (self.templates, self.ensembling) = (templates, ensembling)
  }

  /// Those of a CLIP.
  ///
  /// - tower: its text tower, as earlier trainings left it.
  /// - Throws: `TokenizerError` for a prompt that is too long, unless `truncate` cuts it.
  init(
    _ directory: CLIPDirectory, _ tower: TextTransformer, _ prompts: Prompts, ensembling: TextEnsembling, truncate: Bool
  ) throws {
    let (rows, ends) = try directory.tokens(of: prompts.texts, truncate: truncate)
    self.init(
      tower, rows: rows, ends: ends, templates: prompts.templates.count, ensembling: ensembling)
  }

  /// t, with the gradient to what tunes the tower: [classes, embedding].
  func classifier(_ pass: Pass) -> Variable {
    let features = tower(rows, ends: ends, pass)
    guard templates > 1 else { return features }
    let each = ensembling == .unitMean ? features.l2Normalized() : features
    let mean = each.reshaped(to: [rows.count / templates, templates, each.shape.width]).meanToken()
    return ensembling == .unitMean ? mean.l2Normalized() : mean
  }

  /// The same for values that stay, to the bit as `Prompts.classifier` computes it.
  func settledClassifier(_ pass: Pass) -> Tensor {
    let features = tower(rows, ends: ends, pass).value
    return combined(features)
  }

  /// What the projection of the frozen tower reads of all prompts: [classes · templates, width].
  func trunk() -> Tensor {
    var found: [Tensor] = []
    for batch in rows.indices.batches(of: 64) {
      found.append(tower.trunk(Array(rows[batch]), ends: Array(ends[batch]), Pass()).value)
    }
    return Tensor([rows.count, tower.configuration.transformer.width], found.flatMap(\.values))
  }

  /// t by another projection of what `trunk` has, to the bit as the tower with that projection gives it.
  func classifier(trunk: Tensor, projection: Tensor) -> Tensor {
    let pass = Pass(tunings: [tower.projection.weight.site: .replaced(Variable(projection))])
    return combined(tower.projection(Variable(trunk), pass).value)
  }

  /// One row per class of those of its prompts.
  func combined(_ features: Tensor) -> Tensor {
    ensembling.classifier(features.reshaped(to: [rows.count / templates, templates, features.shape.width]))
  }
}

/// CLIP's own classifier where the text tower is tuned: every pass encodes the class names by the tuned tower, and
/// gradients reach it (Radford et al. 2021, section 3.1.4).
///
///     t_c = g(prompt of c),   z_c = s ⟨f / ‖f‖, t_c / ‖t_c‖⟩
struct EncodedTexts: Head {
  /// The prompts.
  let texts: ClassTexts
  /// log s
  let logitScale: Parameter

  /// None.
  var trainables: [Trainable] { [] }

  /// f / ‖f‖
  func prepared(_ features: Variable) -> Variable { features.l2Normalized() }

  /// z
  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    logits(prepared: prepared(features), values, pass)
  }

  /// z for f / ‖f‖
  func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    features.contrastiveLogitsOfUnits(classifier: texts.classifier(pass), logitScale: logitScale, pass)
  }

  /// The classifier of t, for which the text tower runs once.
  func settled(_ values: [Variable], _ pass: Pass) -> any Head {
    ZeroShot(textFeatures: texts.settledClassifier(pass), logitScale: logitScale)
  }
}
