import Tensor

/// `result.json`.
public struct RunResult: Sendable, Codable, Equatable {
  /// The tuned model on a split.
  public struct Score: Sendable, Codable, Equatable {
    /// 100 · correct / total
    public var accuracy: Double
    /// Correct predictions.
    public var correct: Int
    /// Predictions.
    public var total: Int
    /// The SHA-256 of all logits, in the order of the split: equal digests are equal predictions.
    public var logitsSHA256: String
    /// Images skipped because they cannot be read.
    public var unreadable: Int

    /// The score of an evaluation.
    package init(_ evaluation: Evaluation) {
      (accuracy, correct, total) = (evaluation.accuracy, evaluation.correct, evaluation.total)
      (logitsSHA256, unreadable) = (evaluation.logitsSHA256, evaluation.unreadable.count)
    }
  }

  /// The new classes of a run trained on base classes.
  public struct NewClasses: Sendable, Codable, Equatable {
    /// The tuned model.
    public var test: Score
    /// The pretrained model.
    public var zeroShot: Score
  }

  /// The mask of one tensor.
  public struct MaskCount: Sendable, Codable, Equatable {
    /// Weights that the mask removes.
    public var masked: Int
    /// All weights of the tensor.
    public var weights: Int

    /// The zeros of a mask.
    init(_ mask: BitMask) { (masked, weights) = (mask.prunedCount, mask.count) }
  }

  /// 2 a b / (a + b); 0 for two zeros (R-AMT (o)).
  package static func harmonicMean(_ a: Double, _ b: Double) -> Double { a + b == 0 ? 0 : 2 * a * b / (a + b) }

  /// The method's name.
  public var method: String
  /// The selected epoch, counted from 1.
  public var epoch: Int
  /// The reason for the selection.
  public var reason: String
  /// The rule of selection: `test-max` means that the reported accuracy itself selected the model.
  public var selection: RunConfiguration.Selection
  /// The tuned model on the test split, which was read only for this, unless it selected the model.
  public var test: Score
  /// The pretrained model on the same split; `nil` for one without zero-shot classes.
  public var zeroShot: Score?
  /// Both on the test images of the classes that were not trained on, among their names alone; `nil` if all
  /// classes were.
  public var newClasses: NewClasses?
  /// 2 b n / (b + n) of the tuned model's accuracies b on base and n on new classes, in percent.
  public var harmonicMean: Double?
  /// The same of the pretrained model; `nil` if all classes were trained on.
  public var zeroShotHarmonicMean: Double? {
    zeroShot.flatMap { base in newClasses.map { Self.harmonicMean(base.accuracy, $0.zeroShot.accuracy) } }
  }
  /// Its accuracy on the validation split, if that selected it.
  public var validationAccuracy: Double?
  /// The number of trainable parameters.
  public var trainedParameters: Int
  /// Those besides the head's, which count against a budget; `nil` in results of older versions.
  public var encoderParameters: Int?
  /// The elements of the encoder that training changed; `nil` for a method that may change all that it trains.
  public var changedParameters: Int?
  /// The size of the delta file.
  public var deltaBytes: Int
  /// The budget of a method that has one.
  public var budget: Int?
  /// The divergence of the training; `nil` if it did not diverge.
  public var divergence: Divergence?
  /// All budgets from which it was selected, with their accuracies on the validation split.
  public var budgets: [BudgetSearch.Score]?
  /// Shares in percent, by name.
  public var shares: [String: Double]
  /// The settings that were chosen after training, by name: on the validation split, or as `selection` says; `nil` for
  /// a method without.
  public var choices: [String: Double]?
  /// The masks by the canonical name of their site; `nil` for a method without masks.
  public var masks: [String: MaskCount]?
}
