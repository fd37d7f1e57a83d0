import Models
import Tensor

/// The classifier on image features: the other half of a method.
public protocol Head: Sendable {
  /// The tensors to train; none for the zero-shot classifier.
  var trainables: [Trainable] { get }

  /// The values at which the tensors start on a tuned encoder, where they are trained after it: functions of what tunes
  /// the encoder, so that its gradients pass through them until then.
  func start(_ pass: Pass) -> [Variable]

  /// The logits for the values of the tensors, in the order of `trainables`.
  ///
  /// - features: [batch, embedding]; result: [batch, classes].
  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable

  /// The part of the logits that depends on the features alone: computed once if these stay the same during training.
  func prepared(_ features: Variable) -> Variable

  /// The logits, from features that have been prepared.
  func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable

  /// A head with the same logits for values and tunings that stay, with what depends on them alone computed once.
  func settled(_ values: [Variable], _ pass: Pass) -> any Head

  /// A term that the head adds to the loss of a batch, if it has one.
  func penalty(_ values: [Variable]) -> Variable?

  /// Features of the training images on which steps are taken with a frozen encoder, instead of computing them again in
  /// every epoch; `nil` for a head without.
  var trainingExamples: HeadExamples? { get }

  /// True if every image has a classifier of its own, so that classifying it costs more than a product.
  var isConditional: Bool { get }

  /// The number of parameters that are learned without steps of the trainer.
  var fittedCount: Int { get }

  /// The names of the settings that are chosen on a split after training.
  var choiceNames: [String] { get }

  /// The head with the settings that classify a split best, and their values by name.
  ///
  /// - values: those that were trained; examples: the split, by the tuned encoder.
  func chosen(_ values: [Tensor], on examples: HeadExamples) -> (head: any Head, choices: [String: Double])

  /// The rows of a classifier whose logits are CLIP's for them, [classes, embedding]; `nil` for another one.
  func rows(_ values: [Tensor]) -> Tensor?

  /// Writes what the tuned classifier needs into a delta.
  func write(_ values: [Tensor], to delta: inout Delta)
}

extension Head {
  /// The initial values, whatever the encoder, unless a head says otherwise.
  public func start(_ pass: Pass) -> [Variable] { trainables.map { Variable($0.initial) } }

  /// Nothing is done, unless a head says otherwise.
  public func prepared(_ features: Variable) -> Variable { features }

  /// The logits of the features.
  public func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    logits(features, values, pass)
  }

  /// The head itself, unless it has something to compute.
  public func settled(_ values: [Variable], _ pass: Pass) -> any Head { self }

  /// None, unless a head says otherwise.
  public func penalty(_ values: [Variable]) -> Variable? { nil }

  /// None, unless a head says otherwise.
  public var trainingExamples: HeadExamples? { nil }

  /// No, unless a head says otherwise.
  public var isConditional: Bool { false }

  /// None, unless a head says otherwise.
  public var fittedCount: Int { 0 }

  /// None, unless a head says otherwise.
  public var choiceNames: [String] { [] }

  /// Nothing is chosen, unless a head says otherwise.
  public func chosen(_ values: [Tensor], on examples: HeadExamples) -> (head: any Head, choices: [String: Double]) {
    (self, [:])
  }

  /// None, unless a head says otherwise.
  public func rows(_ values: [Tensor]) -> Tensor? { nil }

  /// Every tensor under its own name, unless a head says otherwise.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (trainable, value) in zip(trainables, values) { delta.tensors[trainable.name] = value }
  }
}

/// A head whose logits are CLIP's: scaled cosine similarities with one row per class.
public protocol ContrastiveHead: Head {
  /// log s of the model: scalar.
  var logitScale: Parameter { get }

  /// The classifier for the values of the tensors, in the order of `trainables`: [classes, embedding].
  func classifier(_ values: [Variable]) -> Variable
}

extension ContrastiveHead {
  /// z_ic = s ⟨f_i / ‖f_i‖, t_c / ‖t_c‖⟩
  public func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    logits(prepared: prepared(features), values, pass)
  }

  /// Those of the classifier.
  public func rows(_ values: [Tensor]) -> Tensor? { classifier(values.map { Variable($0) }).value }

  /// f / ‖f‖
  public func prepared(_ features: Variable) -> Variable { features.l2Normalized() }

  /// z for f / ‖f‖
  public func logits(prepared features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    features.contrastiveLogitsOfUnits(classifier: classifier(values), logitScale: logitScale, pass)
  }
}

/// CLIP's own classifier: the text features of the class names (Radford et al. 2021, section 3.1).
public struct ZeroShot: ContrastiveHead {
  /// T: [classes, embedding]
  public let textFeatures: Tensor
  /// log s
  public let logitScale: Parameter

  /// A classifier made of text features, with the scale of their model.
  public init(textFeatures: Tensor, logitScale: Parameter) {
    (self.textFeatures, self.logitScale) = (textFeatures, logitScale)
  }

  /// The classifier of a CLIP for prompts.
  ///
  /// - Throws: `TokenizerError` for a prompt that is too long, unless `truncate` cuts it.
  public init(
    _ clip: PretrainedCLIP, _ prompts: Prompts, ensembling: TextEnsembling = .rawMean, truncate: Bool = false
  ) throws {
    self.init(
      textFeatures: try prompts.classifier(of: clip.directory, ensembling: ensembling, truncate: truncate),
      logitScale: clip.model.logitScale)
  }

  /// None.
  public var trainables: [Trainable] { [] }

  /// T
  public func classifier(_ values: [Variable]) -> Variable { Variable(textFeatures) }
}
