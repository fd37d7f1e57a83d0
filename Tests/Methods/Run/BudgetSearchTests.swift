import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// Several budgets: each judged on the validation split, the best trained again on both.
@Suite struct BudgetSearchTests {
  private let temporary: TemporaryFolder
  private let fixture: RunFixture
  private let data: URL

  init() throws {
    temporary = try TemporaryFolder()
    (fixture, data) = try RunFixture.validated(in: temporary)
  }

  private func base(_ budgets: [Int] = [2000, 3000, 4000]) throws -> Run {
    let plain = try fixture.makeRun("spt-lora", folder: "run") {
      $0[SensitivitySettings.self]?.budget.samples = 8
      $0.epochs = 2
    }
    var settings = plain.configuration
    (settings.budgets, settings.splits) = (budgets, .trainAndValidation)
    return try Run(settings, plain.pretrained, plain.data, in: plain.folder)
  }

  private func scored(_ correct: [Int], of budgets: [Int] = [2000, 3000, 4000]) throws -> BudgetSearch {
    let base = try base()
    let scores = zip(budgets, correct).map {
      BudgetSearch.Score(
        budget: $0, validationAccuracy: 100 * Double($1) / 8, correct: $1, total: 8, trainedParameters: 1)
    }
    try fixture.temporary.write([UInt8](try JSON.encoded(scores)), to: "run/budgets.json")
    return try BudgetSearch(base)
  }

  @Test func theRunOfABudgetIsAnOrdinaryOneOnTheTrainingSplit() throws {
    let search = try BudgetSearch(try base())
    let run = try search.part(3000)
    var settings = search.run.configuration
    (settings.budgets, settings.splits) = (nil, .train)
    settings.recipe[SensitivitySettings.self]?.budget.parameters = 3000
    #expect(run.configuration == settings && run.folder.url.lastPathComponent == "budget-3000")
    #expect(run.images == run.data.train && run.images.count == 8)
    #expect(search.run.images.items == run.data.train.items + (run.data.validation?.items ?? []))
    #expect(search.run.images.count == 16)
    #expect(search.open == [2000, 3000, 4000] && search.chosen == nil)
  }

  @Test(arguments: [([5, 6, 7], 4000), ([7, 6, 5], 2000), ([5, 7, 7], 3000), ([6, 6, 6], 2000), ([0, 0, 0], 2000)])
  func theBestIsTakenAndOfEqualOnesTheSmallest(correct: [Int], chosen: Int) throws {
    #expect(try scored(correct).chosen == chosen)
  }

  @Test func aSearchResumesAfterWhatIsKnown() throws {
    let search = try scored([5, 6])
    #expect(search.open == [4000] && search.chosen == nil && search.scores.map(\.correct) == [5, 6])
  }

  @Test func scoresOfAnotherSearchAreRefused() throws {
    let error = #expect(throws: RunError.self) { try scored([5, 6], of: [2000, 2500]) }
    #expect(
      error?.description.hasSuffix("budgets.json: expected scores of [2000, 3000, 4000], found those of [2000, 2500]")
        == true, "\(String(describing: error))")
    try fixture.temporary.write("{}", to: "run/budgets.json")
    #expect(throws: RunError.self) { try BudgetSearch(try base()) }
  }

  /// Only the last run asks for the test split, which is gone here.
  @Test func aSearchReadsTrainAndValidationOnly() throws {
    let base = try base([2000, 4000])
    try FileManager.default.removeItem(at: data.appendingPathComponent("test"))
    try base.folder.create(base.configuration)
    var search = try BudgetSearch(base)
    for budget in search.open {
      let run = try SteppedRun(try search.part(budget))
      try run.base.folder.create(run.base.configuration)
      let state = try run.run().state
      let score = try search.judge(
        TrainedRun(run: run.base, method: run.method, state: state, textFeatures: run.textFeatures), .silent)
      #expect(score.budget == budget && score.total == 8 && score.validationAccuracy == 12.5 * Double(score.correct))
      #expect(score.trainedParameters > budget / 2)
      #expect(!FileManager.default.fileExists(atPath: run.base.folder.delta.path))
    }
    #expect(try BudgetSearch(base).scores == search.scores)
    let last = try search.lastRun()
    #expect(try last.folder.settings() == last.configuration)
    #expect(last.configuration.recipe[SensitivitySettings.self]?.budget.parameters == search.chosen)
    #expect(last.configuration.budgets == [2000, 4000])
    let run = try SteppedRun(last)
    #expect(throws: ImageError.self) { try run.finish(run.trainer.start()) }
    // The allocation that was judged: sensitivities are those of the training split.
    let judged = try search.part(try #require(search.chosen)).method(textFeatures: run.textFeatures)
    #expect(run.method.trainables.map(\.name) == judged.trainables.map(\.name))
  }

  @Test func settingsOfNoSearchAreNamed() throws {
    let settings = try base().configuration
    #expect(settings.problem == nil)
    let changes: [(String, (inout RunConfiguration) -> Void)] = [
      (
        "budgets: expected ascending budgets of a method that has one, found [3000, 2000]",
        { $0.budgets = [3000, 2000] }
      ),
      ("budgets: expected ascending budgets of a method that has one, found [2000]", { $0.budgets = [2000] }),
      ("budgets: expected ascending budgets of a method that has one, found [0, 2000]", { $0.budgets = [0, 2000] }),
      (
        "budgets: expected ascending budgets of a method that has one, found [2000, 3000, 4000]",
        { $0.recipe[SensitivitySettings.self] = nil }
      ),
      ("budgets: expected splits train+val and selection last with them, found others", { $0.splits = .train }),
      ("budgets: expected splits train+val and selection last with them, found others", { $0.selection = .test }),
      ("selection: expected last, as the validation split is trained on, found val", { $0.selection = .validation }),
    ]
    for (text, change) in changes {
      var changed = settings
      change(&changed)
      #expect(changed.problem == text)
    }
  }
}
