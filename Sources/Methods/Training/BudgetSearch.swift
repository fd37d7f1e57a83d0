import Formats
import Foundation
import Tensor

/// The choice between several budgets by the validation split (SPT, spec section 4).
///
/// Each budget is an ordinary run on the training split, in a folder of its own below that of the search, and its model
/// after the last epoch is judged on the validation split. The best one, of equal ones the smallest, is what the run of the
/// search itself then trains with, on both splits. `budgets.json` holds what is known so far: a search that was stopped
/// goes on behind it. The test split is read by that last run only, once, at its end.
///
/// Sensitivities are measured on the training split throughout, as the released code does: the last run trains the very
/// allocation that was judged.
public struct BudgetSearch: Sendable {
  /// What a budget is worth.
  public struct Score: Sendable, Codable, Equatable {
    /// Numbers to train besides the head.
    public var budget: Int
    /// 100 · correct / total, on the validation split.
    public var validationAccuracy: Double
    /// Right answers.
    public var correct: Int
    /// Answers.
    public var total: Int
    /// Numbers that were trained, with those of the head.
    public var trainedParameters: Int
  }

  /// The run of the search, whose own settings name the budgets.
  public let experiment: Experiment
  /// What is known so far, by rising budget.
  public private(set) var scores: [Score]
  private let budgets: [Int]

  /// The search of a run whose settings have several budgets, as far as its folder says it has come.
  ///
  /// - Throws: `RunError` for a `budgets.json` of another search.
  public init(_ experiment: Experiment) throws {
    self.experiment = experiment
    budgets = experiment.configuration.budgets ?? []
    scores = []
    let file = experiment.folder.budgets
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    let bytes = Foundation.Data(try MappedFile.bytes(of: file))
    guard let found = try? JSONDecoder().decode([Score].self, from: bytes) else {
      throw RunError("\(file.shown): expected the scores of budgets, found something else")
    }
    // Judged in their order, one after the other.
    guard found.map(\.budget) == Array(budgets.prefix(found.count)) else {
      throw RunError("\(file.shown): expected scores of \(budgets), found those of \(found.map(\.budget))")
    }
    scores = found
  }

  /// The budgets that are still to be judged, rising.
  public var open: [Int] { Array(budgets.dropFirst(scores.count)) }

  /// The run of one budget: the training split, the last epoch.
  public func run(of budget: Int) throws -> Experiment {
    var settings = experiment.configuration
    (settings.budgets, settings.splits) = (nil, .train)
    settings.recipe.budget?.numbers = budget
    return try Experiment(settings, experiment.pretrained, experiment.data, in: experiment.folder.part(budget))
  }

  /// Judges the model at the end of the run of the next budget, and writes down what is known.
  ///
  /// - progress: pictures evaluated so far, of how many.
  public mutating func judge(
    _ method: Method, _ state: TrainingState, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws -> Score {
    guard let budget = open.first, let validation = experiment.data.validation else {
      trap("BudgetSearch: expected a budget to judge and a validation split, found none")
    }
    let found = try Evaluation(
      method, values: state.values, on: validation, preprocessing: experiment.pretrained.preprocessing
    ) { try progress($0, validation.count) }
    let score = Score(
      budget: budget, validationAccuracy: found.accuracy, correct: found.correct, total: found.total,
      trainedParameters: method.trainedCount)
    scores.append(score)
    try AtomicFile.write(Array(try JSON.encoded(scores, isPretty: true)) + [10], to: experiment.folder.budgets)
    return score
  }

  /// The best budget, of equal ones the smallest; `nil` until all are judged.
  public var chosen: Int? {
    guard open.isEmpty else { return nil }
    // By counts: a quotient of the same counts is the same number, but counts need no argument.
    return scores.reduce(nil as Score?) { best, next in
      best.map { next.correct > $0.correct } ?? true ? next : best
    }?.budget
  }

  /// The run of the search itself with the chosen budget, which its `config.json` then names.
  public func lastRun() throws -> Experiment {
    guard let chosen else { trap("BudgetSearch: expected all budgets judged, found \(open)") }
    var settings = experiment.configuration
    settings.recipe.budget?.numbers = chosen
    try experiment.folder.write(settings)
    return try Experiment(settings, experiment.pretrained, experiment.data, in: experiment.folder)
  }
}
