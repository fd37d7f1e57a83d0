import Formats
import Foundation
import Tensor

/// The choice between several budgets by the validation split.
///
/// Each budget is an ordinary run on the training split, in a folder of its own below that of the search, and its model
/// after the last epoch is evaluated on the validation split. The best one, of equal ones the smallest, is the one that
/// the run of the search itself then trains with, on both splits. `budgets.json` holds the results so far: a search
/// that was stopped continues after them. The test split is read by that last run only, once, at its end.
///
/// What a method looks at before it chooses is the training split throughout: the last run trains the very choice that
/// was judged.
public struct BudgetSearch: Sendable {
  /// The score of a budget.
  public struct Score: Sendable, Codable, Equatable {
    /// Parameters to train besides the head.
    public var budget: Int
    /// 100 · correct / total, on the validation split.
    public var validationAccuracy: Double
    /// Correct predictions.
    public var correct: Int
    /// Predictions.
    public var total: Int
    /// Trainable parameters, including the head's.
    public var trainedParameters: Int
    /// Those besides the head's; `nil` in results of older versions.
    public var encoderParameters: Int?
  }

  /// The run of the search, whose own settings name the budgets.
  package let run: Run
  /// The results so far, by ascending budget.
  package private(set) var scores: [Score]
  private let budgets: [Int]

  /// The search of a run whose settings have several budgets, with the progress recorded in its folder.
  ///
  /// - Throws: `RunError` for a `budgets.json` of another search.
  package init(_ run: Run) throws {
    self.run = run
    budgets = run.configuration.budgets ?? []
    scores = []
    let file = run.folder.budgets
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    let bytes = try MappedFile.bytes(of: file)
    guard let found = try? JSON.decoded([Score].self, from: bytes) else {
      throw RunError("\(file.shown): expected the scores of budgets, found something else")
    }
    // Evaluated in order, one after another.
    guard found.map(\.budget) == Array(budgets.prefix(found.count)) else {
      throw RunError("\(file.shown): expected scores of \(budgets), found those of \(found.map(\.budget))")
    }
    scores = found
  }

  /// The budgets still to be evaluated, ascending.
  package var open: [Int] { Array(budgets.dropFirst(scores.count)) }

  /// The run of the best budget, trained, after all that are open were tried.
  ///
  /// - Throws: as `Run.train` does.
  mutating func run(_ watch: RunWatch) throws -> TrainedRun {
    let count = budgets.count
    for budget in open {
      watch.report(.trying(budget: budget, number: scores.count + 1, of: count))
      let part = try part(budget)
      let trained = try part.trained(creating: [run, part].filter { !$0.folder.isBegun }, watch)
      watch.report(.judged(try judge(trained, watch)))
    }
    let last = try lastRun()
    watch.report(.chose(budget: chosen ?? 0))
    return try last.trained(creating: [], watch)
  }

  /// The run of one budget: the training split, the last epoch.
  func part(_ budget: Int) throws -> Run {
    var settings = run.configuration
    (settings.budgets, settings.splits) = (nil, .train)
    settings.recipe = run.name.encoder.recipe(settings.recipe, budget: budget)
    var part = try Run(settings, run.pretrained, run.data, in: run.folder.part(budget), on: run.base)
    part.cardCommands = run.cardCommands
    return part
  }

  /// Evaluates the model at the end of the run of the next budget, and writes the results so far.
  mutating func judge(_ trained: TrainedRun, _ watch: RunWatch) throws -> Score {
    guard let budget = open.first, let validation = run.data.validation else {
      trap("BudgetSearch: expected a budget to evaluate and a validation split, found none")
    }
    Workload.returnMemory()
    let recipe = trained.run.configuration.recipe
    let found = try trained.method.judging(after: recipe.epochs, recipe) { () throws -> Evaluation in
      try watch.clock.measure(.validation) {
        try Evaluation(
          trained.method, values: trained.values, on: validation, preprocessing: run.pretrained.preprocessing,
          skipsUnreadable: false, watch.features?.images, clock: watch.clock
        ) { done in
          try watch.stopIfAsked(.beforeValidation)
          watch.report(.evaluating(.validation, done: done, of: validation.count))
        }
      }
    }
    let score = Score(
      budget: budget, validationAccuracy: found.accuracy, correct: found.correct, total: found.total,
      trainedParameters: trained.method.trainedCount, encoderParameters: trained.method.encoderTrainedCount)
    scores.append(score)
    try AtomicFile.write(Array(try JSON.encoded(scores, isPretty: true)) + [10], to: run.folder.budgets)
    return score
  }

  /// The best budget, of equal ones the smallest; `nil` until all are evaluated.
  package var chosen: Int? {
    guard open.isEmpty else { return nil }
    // By counts, which are exact.
    return scores.reduce(nil as Score?) { best, next in
      best.map { next.correct > $0.correct } ?? true ? next : best
    }?.budget
  }

  /// The run of the search itself with the chosen budget, which its `config.json` then names.
  func lastRun() throws -> Run {
    guard let chosen else { trap("BudgetSearch: expected all budgets evaluated, found \(open)") }
    var settings = run.configuration
    settings.recipe = run.name.encoder.recipe(settings.recipe, budget: chosen)
    try run.folder.write(settings)
    var last = try Run(settings, run.pretrained, run.data, in: run.folder, on: run.base)
    last.cardCommands = run.cardCommands
    return last
  }
}
