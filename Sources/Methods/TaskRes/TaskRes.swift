import Models
import Tensor

/// Task residual tuning (TaskRes (b) and (c); Yu et al., CVPR 2023).
///
///     t'_c = t_c + α x_c
///
/// The text features t_c stay as they are, raw and not normalised: their norm determines how far α x_c can turn them. x
/// starts at zero, where the classifier is the zero-shot one. The logits are scaled cosine similarities with t'_c.
public struct TaskRes: ContrastiveHead {
  /// t: [classes, embedding]
  public let textFeatures: Tensor
  /// α
  public let alpha: Real

  /// log s
  public let logitScale: Parameter

  /// A residual on the given text features, with the scale of their model.
  public init(textFeatures: Tensor, alpha: Real, logitScale: Parameter) {
    (self.textFeatures, self.alpha, self.logitScale) = (textFeatures, alpha, logitScale)
  }

  /// x: [classes, embedding], zero.
  public var trainables: [Trainable] { [Trainable(DeltaEntry.residual.name, .zeros(textFeatures.shape))] }

  /// t + α x
  public func classifier(_ values: [Variable]) -> Variable {
    Variable(textFeatures).adding(values[0], scale: alpha)
  }
}
