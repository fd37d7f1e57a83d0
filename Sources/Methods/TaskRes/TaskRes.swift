import Models
import Tensor

/// Task residual tuning (TaskRes (b) and (c); Yu et al., CVPR 2023).
///
///     t'_c = t_c + α x_c
///
/// The text features t_c stay as they are, raw and not normalised: their norm determines how far α x_c can turn them. x
/// starts at zero, where the classifier is the zero-shot one. The logits are scaled cosine similarities with t'_c.
///
/// Two more forms are in the paper's ablations (TaskRes (h)): a residual r on the features of all images, f' = f + α r
/// before the norm, in place of x or with it. α may be learned as well (TaskRes (i)).
public struct TaskRes: ContrastiveHead {
  /// What residuals are added to.
  public enum Form: String, Sendable, Codable, CaseIterable {
    /// The text features, one residual per class: TaskRes.
    case text
    /// The image features, one residual for all.
    case image
    /// Both.
    case both
  }

  /// t: [classes, embedding]
  public let textFeatures: Tensor
  /// α, or where it starts.
  public let alpha: Real
  /// What residuals are added to.
  public let form: Form
  /// Whether α is learned.
  public let learnsAlpha: Bool

  /// log s
  public let logitScale: Parameter

  /// A residual on the given text features, with the scale of their model.
  public init(
    textFeatures: Tensor, alpha: Real, logitScale: Parameter, form: Form = .text, learnsAlpha: Bool = false
  ) {
    (self.textFeatures, self.alpha, self.logitScale) = (textFeatures, alpha, logitScale)
    (self.form, self.learnsAlpha) = (form, learnsAlpha)
  }

  /// x: [classes, embedding], and r: [embedding], zero; α: [1].
  public var trainables: [Trainable] {
    (form == .image ? [] : [Trainable(DeltaEntry.residual.name, .zeros(textFeatures.shape))])
      + (form == .text ? [] : [Trainable(DeltaEntry.imageResidual.name, .zeros([textFeatures.shape[1]]))])
      + (learnsAlpha ? [Trainable(DeltaEntry.learnedAlpha.name, Tensor([1], [alpha]))] : [])
  }

  /// t + α x
  public func classifier(_ values: [Variable]) -> Variable {
    form == .image ? Variable(textFeatures) : sum(Variable(textFeatures), values[0], values)
  }

  /// f / ‖f‖, or f where it is not constant.
  public func prepared(_ features: Variable) -> Variable { form == .text ? features.l2Normalized() : features }

  /// z
  public func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    logits(prepared: prepared(features), values, pass)
  }

  /// z for features that have been prepared.
  public func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    let units = form == .text ? features : sum(features, values[form == .both ? 1 : 0], values).l2Normalized()
    return units.contrastiveLogitsOfUnits(classifier: classifier(values), logitScale: logitScale, pass)
  }

  /// a + α r; r is repeated over the rows of a if it has one only.
  private func sum(_ a: Variable, _ residual: Variable, _ values: [Variable]) -> Variable {
    guard learnsAlpha, let alpha = values.last else { return a.adding(residual, scale: alpha) }
    // α r as a column of channels of width 1.
    let scaled = residual.reshaped(to: [residual.shape.count, 1]).scaledChannels(by: alpha)
    return a.adding(scaled.reshaped(to: residual.shape))
  }
}

extension DeltaEntry {
  /// The residual on image features.
  static let imageResidual = DeltaEntry.classifier(part: "image-residual")
  /// α, if it was learned.
  static let learnedAlpha = DeltaEntry.classifier(part: "alpha")
}
