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
/// before the norm, in place of x or with it. α may be learned as well (TaskRes (i)), and residuals may start at random
/// (TaskRes (l)). The given text features may have length 1 (TaskRes (k)), or come from a projection that was tuned
/// before (TaskRes (j)).
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
  /// x: [classes, embedding], and r: [embedding]; α: [1].
  public let trainables: [Trainable]
  /// The tensors of the model, by site, that were tuned before the residual and that the text features come from.
  var base: [String: Tensor] = [:]

  /// A residual on the given text features, with the scale of their model.
  ///
  /// - deviation: σ of residuals that start at random, N(0, σ²), by the seed; 0 for those that start at zero.
  public init(
    textFeatures: Tensor, alpha: Real, logitScale: Parameter, form: Form = .text, learnsAlpha: Bool = false,
    deviation: Double = 0, seed: UInt64 = 0
  ) {
    (self.textFeatures, self.alpha, self.logitScale) = (textFeatures, alpha, logitScale)
    (self.form, self.learnsAlpha) = (form, learnsAlpha)
    func start(_ entry: DeltaEntry, _ shape: Shape, part: Int) -> Trainable {
      // Indices of the encoder's sites begin at 0, so the largest steps are free.
      let random = Random(seed: seed, purpose: .initialization, step: Int(UInt32.max) - part)
      return Trainable(entry.name, deviation > 0 ? random.normal(shape, deviation: deviation) : .zeros(shape))
    }
    trainables =
      (form == .image ? [] : [start(.residual, textFeatures.shape, part: 1)])
      + (form == .text ? [] : [start(.imageResidual, [textFeatures.shape[1]], part: 2)])
      + (learnsAlpha ? [Trainable(DeltaEntry.learnedAlpha.name, Tensor([1], [alpha]))] : [])
  }

  /// The parameters of the base.
  public var fittedCount: Int { base.values.reduce(0) { $0 + $1.count } }

  /// t + α x
  public func classifier(_ values: [Variable]) -> Variable {
    form == .image ? Variable(textFeatures) : sum(Variable(textFeatures), values[0], values)
  }

  /// t + α x; `nil` with a residual on image features, which no rows hold.
  public func rows(_ values: [Tensor]) -> Tensor? {
    form == .text ? classifier(values.map { Variable($0) }).value : nil
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

  /// The residuals, and what the text features come from.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (trainable, value) in zip(trainables, values) { delta.tensors[trainable.name] = value }
    delta.tensors.merge(base) { _, new in new }
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
