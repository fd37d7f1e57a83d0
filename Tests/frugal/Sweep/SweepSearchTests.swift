import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// A plan's search, before anything is run: its candidates, its rule, and what is refused.
@Suite struct SweepSearchTests {
  private static let settings = """
    "settings": {"model": "\(Workbench.model)", "template": "a {}"}, "methods": ["linear", "task-res"],
    "data": ["x", "y"], "seeds": [1, 2]
    """

  private func plan(_ search: String, _ folder: TemporaryFolder, settings: String = settings) throws -> SweepPlan {
    let file = try folder.write("{\(settings), \"search\": {\(search)}}", to: "plan.json")
    return try SweepPlan(file.path, out: folder.path("out"))
  }

  @Test func everyMethodHasAllCombinations() throws {
    let folder = try TemporaryFolder()
    let found = try plan(
      """
      "grid": {"lr": [0.001, 0.01], "epochs": [10, 40]}, "methods": {"task-res": {"lr": [1, 2], "alpha": []}},
      "data": ["y"], "seeds": [0], "shots": [2, "all"]
      """, folder)
    let search = try #require(found.search)
    #expect(search.methods.map(\.name) == ["linear", "task-res"])
    #expect(
      search.methods[0].candidates.map(\.name) == [
        "epochs=10,lr=0.001", "epochs=10,lr=0.01", "epochs=40,lr=0.001", "epochs=40,lr=0.01",
      ])
    #expect(search.methods[1].candidates.map(\.name).last == "epochs=40,lr=2")
    #expect(search.cells.count == 16 && Set(search.cells.map(\.name)).count == 16)
    let last = try #require(search.cells.last)
    #expect(last.name == "search/task-res/epochs=40,lr=2/y/all-shot/seed-0")
    let words = last.words.joined(separator: " ")
    #expect(words.contains("--evaluate-on val") && words.contains("--lr 2") && words.contains("--epochs 40"))
    // Without a result there are no settings.
    #expect(try #require(found.obstacle).description.contains("search.json: missing"))
  }

  @Test func whatIsTrainedOnBothSplitsIsJudgedWithoutTheSecond() throws {
    let folder = try TemporaryFolder()
    let settings = Self.settings.replacing("\"template\"", with: "\"train-on\": \"train+val\", \"template\"")
    let found = try plan("\"grid\": {\"lr\": [1, 2]}", folder, settings: settings)
    let words = try #require(found.search).cells[0].words.joined(separator: " ")
    #expect(!words.contains("--train-on") && words.contains("--select last"))
    #expect(found.cells[0].words.joined(separator: " ").contains("--train-on train+val"))
  }

  @Test(arguments: [
    ("\"grid\": {\"lr\": [1, 2]}, \"sead\": [1]", "search: the unknown key \"sead\" (did you mean seeds?)"),
    ("\"grid\": {\"lr\": [1]}", "search: grid: expected 2 or more candidates for a method"),
    ("\"grid\": {\"lr\": [1, 1]}", "search: linear: expected different values of each flag, found one twice"),
    ("\"grid\": {\"rnak\": [1, 2]}", "rnak: unknown flag (did you mean --rank?)"),
    ("\"grid\": {\"shots\": [1, 2]}", "search: linear: shots: expected shots in a plan"),
    ("\"grid\": {\"model\": [\"a\", \"b\"]}", "search: linear: model: expected it in rows"),
    ("\"grid\": {\"select\": [\"last\", \"val\"]}", "search: linear: select: expected it in rows"),
    (
      "\"grid\": {\"lr\": [1, 2]}, \"methods\": {\"linear\": {\"lr\": [1]}}",
      "the same number of candidates for every method, found linear 1, task-res 2 (\"unequal\": true"
    ),
    (
      "\"grid\": {\"lr\": [1, 2]}, \"methods\": {\"taskres\": {}}",
      "search: methods: expected names of rows of the plan, found \"taskres\" (did you mean task-res?)"
    ),
    ("\"grid\": {\"lr\": [1, 2]}, \"data\": [\"z\"]", "search: data: expected names of rows of the plan"),
    ("\"grid\": {\"lr\": [1, 2]}, \"data\": []", "search: data: expected different names, found none"),
    ("\"grid\": {\"lr\": [1, 2]}, \"seeds\": [-1]", "search: seeds: expected whole numbers from 0"),
    ("\"grid\": {\"lr\": [1, 2]}, \"shots\": [0]", "search: shots: expected whole numbers from 1"),
    ("\"grid\": {\"epochs\": [0, 1]}", "search/linear/epochs=0/x/seed-1: --epochs: expected"),
    ("\"grid\": [1]", "search grid is of another kind"),
  ]) func whatIsNoSearchIsRefused(_ text: String, _ message: String) throws {
    let folder = try TemporaryFolder()
    let error = try #require(throws: (any Error).self) { try plan(text, folder) }
    #expect("\(error)".contains(message), "\(error)")
    #expect("\(error)".contains("plan.json"), "\(error)")
  }

  @Test func unequalNumbersOfCandidatesAreComparedIfThePlanSaysSo() throws {
    let folder = try TemporaryFolder()
    let text = "\"grid\": {\"lr\": [1, 2]}, \"methods\": {\"linear\": {\"lr\": []}}, \"unequal\": true"
    let search = try #require(try plan(text, folder).search)
    #expect(search.methods.map(\.candidates.count) == [1, 2] && search.methods[0].candidates[0].name == "as-stated")
  }

  private func candidate(_ name: String, _ accuracy: Double?, images: Int = 5, parameters: Int = 5)
    -> SearchResult.Candidate
  {
    SearchResult.Candidate(
      name: name, flags: [:], accuracy: accuracy, trainedImages: images, trainedParameters: parameters, runs: [])
  }

  @Test func theBestWinsThenTheCheaperThenTheFirst() {
    func winner(_ candidates: [SearchResult.Candidate]) -> String? { SearchResult.winner(of: candidates)?.name }
    #expect(winner([candidate("a", 50), candidate("b", 60, images: 90), candidate("c", 55)]) == "b")
    #expect(winner([candidate("a", 60, images: 9), candidate("b", 60, images: 8, parameters: 99)]) == "b")
    #expect(winner([candidate("a", 60, parameters: 9), candidate("b", 60, parameters: 8)]) == "b")
    #expect(winner([candidate("a", 60), candidate("b", 60)]) == "a")
    #expect(winner([candidate("a", 60 + 1e-12, images: 9), candidate("b", 60)]) == "b")
    #expect(winner([candidate("a", nil), candidate("b", 0)]) == "b")
    #expect(winner([candidate("a", nil)]) == nil)
  }
}
