import Tensor

/// `result.json`.
public struct RunResult: Sendable, Codable, Equatable {
  /// The tuned model on a split.
  public struct Score: Sendable, Codable, Equatable {
    /// 100 · correct / total
    public var accuracy: Double
    /// Right answers.
    public var correct: Int
    /// Answers.
    public var total: Int
    /// The SHA-256 of all logits, in the order of the split: equal digests are equal predictions.
    public var logitsSHA256: String
    /// Pictures left out because they cannot be read.
    public var unreadable: Int

    /// The score of an evaluation.
    public init(_ evaluation: Evaluation) {
      (accuracy, correct, total) = (evaluation.accuracy, evaluation.correct, evaluation.total)
      (logitsSHA256, unreadable) = (evaluation.logitsSHA256, evaluation.unreadable.count)
    }
  }

  /// The new classes of a run that learned from base classes.
  public struct NewClasses: Sendable, Codable, Equatable {
    /// The tuned model.
    public var test: Score
    /// The pretrained model.
    public var zeroShot: Score
  }

  /// The mask of one tensor.
  public struct MaskCount: Sendable, Codable, Equatable {
    /// Weights that the mask takes away.
    public var masked: Int
    /// All weights of the tensor.
    public var weights: Int

    /// The zeros of a mask.
    init(_ mask: BitMask) { (masked, weights) = (mask.prunedCount, mask.count) }
  }

  /// 2 a b / (a + b), 0 of two zeros.
  public static func harmonicMean(_ a: Double, _ b: Double) -> Double { a + b == 0 ? 0 : 2 * a * b / (a + b) }

  /// The method's name.
  public var method: String
  /// Which model was taken: the number of its epoch, from 1.
  public var epoch: Int
  /// Why.
  public var reason: String
  /// How it was chosen: `test-max` means that the accuracy on the test split chose the model it is reported of.
  public var selection: RunConfiguration.Selection
  /// The tuned model on the test split, which was read once, for this, unless it chose the model.
  public var test: Score
  /// The pretrained model on the same split; `nil` for one that knows no classes by itself.
  public var zeroShot: Score?
  /// Both on the test pictures of the classes that were not learned from, with the names of these alone; `nil` where all
  /// classes were.
  public var newClasses: NewClasses?
  /// 2 b n / (b + n) of the tuned model's accuracies b on base and n on new classes, in percent.
  public var harmonicMean: Double?
  /// The same of the pretrained model; `nil` where all classes were learned from.
  public var zeroShotHarmonicMean: Double? {
    zeroShot.flatMap { base in newClasses.map { Self.harmonicMean(base.accuracy, $0.zeroShot.accuracy) } }
  }
  /// Its accuracy on the validation split, where that chose it.
  public var validationAccuracy: Double?
  /// Numbers that were trained.
  public var trainedParameters: Int
  /// The size of the delta file.
  public var deltaBytes: Int
  /// The budget of a method that has one.
  public var budget: Int?
  /// All budgets that it was chosen from, with their accuracies on the validation split.
  public var budgets: [BudgetSearch.Score]?
  /// Shares in percent, by name.
  public var shares: [String: Double]
  /// What is masked, by the canonical name of its site; `nil` where nothing can be.
  public var masks: [String: MaskCount]?
}
