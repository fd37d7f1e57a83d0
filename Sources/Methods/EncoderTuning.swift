import Models
import Tensor

/// A trainable tensor: its name in checkpoints and its initial value.
public struct Trainable: Sendable {
  /// Its name in checkpoints.
  public let name: String
  /// The initial value.
  public let initial: Tensor
  /// True if weight decay applies to it.
  public let isDecayed: Bool
  /// The number of its elements that are trained; the others keep their initial values.
  public let count: Int
  /// The matrix that it is a part of, with the tensors next to it that have the same; `nil` for one by itself.
  public let group: String?

  /// A trainable tensor.
  ///
  /// - count: `nil` for all of its elements.
  public init(_ name: String, _ initial: Tensor, isDecayed: Bool = true, count: Int? = nil, group: String? = nil) {
    (self.name, self.initial, self.isDecayed, self.count) = (name, initial, isDecayed, count ?? initial.count)
    self.group = group
  }

  /// The tensor as an optimiser sees it.
  public var slot: ParameterSlot { ParameterSlot(name, initial.shape, isDecayed: isDecayed, group: group) }
}

/// A tuning of the image encoder: one of the two halves of a method.
///
/// A tuning is a description and holds no state; the trainer owns the values of its tensors.
public protocol EncoderTuning: Sendable {
  /// The tensors to train; none for a frozen encoder.
  var trainables: [Trainable] { get }

  /// The tunings of the encoder's sites for the values of the tensors, in the order of `trainables`.
  func tunings(_ values: [Variable]) -> [Site: Tuning]

  /// What the projection reads of the training images, where nothing before it is tuned and steps are taken on that:
  /// one view of all images after another; `nil` for steps on images.
  var trunkExamples: HeadExamples? { get }

  /// True if the objective compares with the untuned encoder.
  var needsTeacher: Bool { get }

  /// The losses of a batch.
  ///
  /// - logits: [batch, classes] of the tuned model; teacher: the same of the untuned one if `needsTeacher`.
  func objective(logits: Variable, teacher: Variable?, labels: [Int32], values: [Variable]) -> Objective

  /// The rule between gradients and optimiser: one list of gradients per loss in, one out.
  func combined(_ gradients: [[Tensor]], seed: UInt64, step: Int) -> [Tensor]

  /// The same rule before an observer, who sees its intermediates and may replace its draws.
  func combined(_ gradients: [[Tensor]], seed: UInt64, step: Int, _ observer: StepObserver) -> [Tensor]

  /// What the encoder uses in place of its tensors, for an observer: names, such as `mask/SITE`, and values.
  func derived(_ values: [Tensor]) -> [(name: String, value: Tensor)]

  /// Warnings about learning rates with which training does little: those of all steps, of the given optimiser.
  func warnings(_ optimizer: OptimizerRecipe, learningRates: [Double]) -> [String]

  /// A reason why training with these settings cannot change anything, if there is one.
  func obstacle(_ optimizer: OptimizerRecipe, epochs: Int, stepsPerEpoch: Int) -> RunObstacle?

  /// Shares to report after training, such as the part of the weights that is masked, in percent.
  func shares(_ values: [Tensor]) -> [Share]

  /// The number of elements that differ from the model's, where training moves a few of many; `nil` elsewhere.
  func changedCount(_ values: [Tensor]) -> Int?

  /// Writes what the tuned encoder needs into a delta.
  func write(_ values: [Tensor], to delta: inout Delta)
}

/// A run that cannot change anything, and settings with which it could.
public struct RunObstacle: Error, CustomStringConvertible, Equatable {
  /// What stands in the way.
  public let description: String
  /// A number of epochs that is enough, at the same peak learning rate.
  public let epochs: Int?
  /// A peak learning rate that is enough, in as many epochs.
  public let learningRate: Double?
}

/// A part of a whole, under a name.
public struct Share: Sendable, Equatable {
  /// The name of the part.
  public let name: String
  /// The count of the part.
  public let part: Int
  /// The count of the whole.
  public let whole: Int

  /// 100 · part / whole
  public var percent: Double { whole == 0 ? 0 : 100 * Double(part) / Double(whole) }

  /// A part of a whole.
  public init(_ name: String, part: Int, whole: Int) { (self.name, self.part, self.whole) = (name, part, whole) }
}

extension EncoderTuning {
  /// Steps on images, unless a method says otherwise.
  public var trunkExamples: HeadExamples? { nil }

  /// No teacher, unless a method says otherwise.
  public var needsTeacher: Bool { false }

  /// Only cross-entropy, unless a method says otherwise.
  public func objective(logits: Variable, teacher: Variable?, labels: [Int32], values: [Variable]) -> Objective {
    let loss = logits.crossEntropy(labels: labels)
    return Objective(losses: [loss], terms: [("loss", Double(loss.value.scalar))])
  }

  /// The gradient of the first loss, unless a method says otherwise.
  public func combined(_ gradients: [[Tensor]], seed: UInt64, step: Int) -> [Tensor] { gradients[0] }

  /// The rule, unless it draws or has intermediates.
  public func combined(_ gradients: [[Tensor]], seed: UInt64, step: Int, _ observer: StepObserver) -> [Tensor] {
    combined(gradients, seed: seed, step: step)
  }

  /// Nothing, unless a method says otherwise.
  public func derived(_ values: [Tensor]) -> [(name: String, value: Tensor)] { [] }

  /// None, unless a method says otherwise.
  public func warnings(_ optimizer: OptimizerRecipe, learningRates: [Double]) -> [String] { [] }

  /// None, unless a method says otherwise.
  public func obstacle(_ optimizer: OptimizerRecipe, epochs: Int, stepsPerEpoch: Int) -> RunObstacle? { nil }

  /// Nothing, unless a method says otherwise.
  public func shares(_ values: [Tensor]) -> [Share] { [] }

  /// `nil`, unless a method says otherwise.
  public func changedCount(_ values: [Tensor]) -> Int? { nil }

  /// Every tensor under its own name, unless a method says otherwise.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (trainable, value) in zip(trainables, values) { delta.tensors[trainable.name] = value }
  }
}

/// The pretrained encoder, unchanged.
public struct FrozenEncoder: EncoderTuning {
  /// A frozen encoder.
  public init() {}

  /// None.
  public var trainables: [Trainable] { [] }

  /// None.
  public func tunings(_ values: [Variable]) -> [Site: Tuning] { [:] }
}
