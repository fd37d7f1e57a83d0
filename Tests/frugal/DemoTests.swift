import Datasets
import Foundation
import FrugalTestSupport
import Methods
import Tensor
import Testing

@testable import frugal

@Suite struct DemoTests {
  @Test func everyRunHasAFolderOfItsOwnAndWordsThatTuneKnows() throws {
    for plan in [DemoPlan.short, .full] {
      #expect(Set(plan.cells.map(\.path)).count == plan.cells.count)
      for cell in plan.cells {
        let words = cell.words(in: "demo")
        let flags = try Arguments(words, options: TuneCommand.options + commonOptions)
        #expect(flags.operands.isEmpty && flags.string("--out") == "demo/\(cell.path)")
        #expect(MethodName(cell.method.name) != nil)
      }
    }
  }

  /// The printed command asks for the run that the demo makes: the same recipe, classes, split and selection.
  @Test func everyCommandAsksForTheRunOfTheDemo() throws {
    for cell in DemoPlan.full.cells where cell.seed == 2 {
      let flags = try Arguments(cell.words(in: "demo"), options: TuneCommand.options + commonOptions)
      let (typed, made) = (try TuneFlags.request(flags), try cell.request(in: "demo"))
      let name = try Run.method(made.method)
      var recipes = [Recipe](
        repeating: name.recipe(PublishedSetting(benchmark: nil, shots: cell.shots, fidelity: .official)), count: 2)
      try typed.adjust(&recipes[0])
      try made.adjust(&recipes[1])
      #expect(recipes[0] == recipes[1], "\(cell.path)")
      #expect(typed.method == made.method && typed.model == made.model && typed.data == made.data)
      #expect(typed.shots == made.shots && typed.seed == made.seed && typed.templates == made.templates)
      #expect(typed.selection == made.selection && typed.classes == made.classes && typed.budgets == made.budgets)
    }
  }

  @Test func theFullPlanHasBothSuitesAndEveryPart() {
    let cells = DemoPlan.full.cells
    #expect(Set(cells.map(\.task.name)) == Set(MiniatureTask.all.map(\.name)))
    let parts = Set(cells.flatMap { $0.method.name.split(separator: "+").map(String.init) })
    #expect(parts == Set(MethodList.names))
    #expect(Set(cells.map(\.seed)) == [1, 2, 3] && Set(cells.compactMap(\.shots)) == [1, 4, 16])
    #expect(cells.contains { $0.isBase })
    // The short one is a part of it, so that a full demo takes over what a short one has done.
    let full = Set(cells.map(\.path))
    #expect(DemoPlan.short.cells.allSatisfy { full.contains($0.path) })
  }

  @Test func masksTakeTheSameNumberOfStepsWhateverTheClasses() throws {
    for cell in DemoPlan.full.cells where cell.method.label == "r-amt" && cell.shots == 16 {
      let flags = try Arguments(cell.words(in: "demo"), options: TuneCommand.options + commonOptions)
      let epochs = try #require(flags.string("--epochs").flatMap { Int($0) })
      let steps = epochs * (16 * cell.task.classes.count / 32)
      #expect((300...360).contains(steps), "\(cell.task.name): \(steps)")
    }
  }

  /// A run of the full plan that has ended.
  ///
  /// - new: accuracy on new classes, tuned and frozen, of a run that learned the base ones.
  private func finished(
    _ task: String, _ method: String, shots: Int? = 16, _ seed: Int, _ accuracy: Double, zeroShot: Double? = 25,
    new: (tuned: Double, frozen: Double)? = nil
  ) throws -> DemoTable.Finished {
    let cell = try #require(
      DemoPlan.full.cells.first {
        $0.task.name == task && $0.method.label == method && $0.seed == seed && $0.isBase == (new != nil)
          && $0.shots == shots
      })
    func score(_ accuracy: Double) -> String {
      #"{"accuracy": \#(accuracy), "correct": 1, "total": 2, "logitsSHA256": "", "unreadable": 0}"#
    }
    let frozen = zeroShot.map { #""zeroShot": \#(score($0)),"# } ?? ""
    let unseen =
      new.map {
        #""newClasses": {"test": \#(score($0.tuned)), "zeroShot": \#(score($0.frozen))}, "harmonicMean": "#
          + "\(RunResult.harmonicMean(accuracy, $0.tuned)),"
      } ?? ""
    let json = """
      {"method": "x", "epoch": 1, "reason": "", "selection": "last", "test": \(score(accuracy)), \(frozen) \(unseen)
       "trainedParameters": 1200, "deltaBytes": 2500, "shares": {"all": 3.25}}
      """
    return (cell, try JSONDecoder().decode(RunResult.self, from: Data(json.utf8)), 2)
  }

  @Test func aTableIsThatOfPapers() throws {
    let runs = try [
      finished("pets", "task-res", 1, 40), finished("pets", "task-res", 2, 44), finished("pets", "r-amt", 1, 50),
      finished("ucf", "task-res", 1, 60), finished("pets", "r-amt", shots: 1, 1, 30),
    ]
    let table = try #require(DemoTable(.eleven, shots: 16, runs))
    #expect(
      table.rows == [
        ["", "pets", "ucf", "mean", "trained", "delta", "masked", "seconds"],
        ["zero-shot", "25.0", "25.0", "25.0", "0", "", "", ""],
        ["task-res", "42.0 ± 2.8", "60.0", "51.0", "1,200", "2.5 kB", "3.2 %", "2.0"],
        ["r-amt", "50.0", "–", "–", "1,200", "2.5 kB", "3.2 %", "2.0"],
      ])
    #expect(DemoTable(.vtab, shots: nil, runs) == nil && DemoTable(newClassesOf: runs) == nil)
    let lines = table.text.split(separator: "\n")
    #expect(lines[0].contains("16 shots") && lines[0].contains("2 seeds"))
    #expect(Set(lines.dropFirst().map(\.count)).count == 1)
    let all = DemoTable.all(runs)
    #expect(all.map { $0.rows.count } == [4, 3] && all[1].title.contains("1 shot,"))
  }

  @Test func aTableOfNewClassesIsTheMeanOverTasksOfEverySeed() throws {
    let runs = try [
      finished("pets", "mask-tuning", 1, 60, new: (40, 50)), finished("ucf", "mask-tuning", 1, 80, new: (80, 30)),
      finished("pets", "mask-tuning", 2, 64, new: (40, 50)), finished("ucf", "mask-tuning", 2, 80, new: (80, 30)),
      finished("ucf", "mask-tuning", 3, 99, new: (99, 30)), finished("ucf", "full", 1, 99, new: (99, 30)),
    ]
    let table = try #require(DemoTable(newClassesOf: runs))
    #expect(table.title.contains("2 tasks") && table.title.contains("3 seeds"))
    // H of the frozen model: (2·25·50/75 + 2·25·30/55) / 2 = 30.3; of the tuned one: (48 + 80) / 2 and (49.23 + 80) /
    // 2.
    #expect(
      table.rows == [
        ["", "base", "new", "H", "trained", "delta", "masked", "seconds"],
        ["zero-shot", "25.0", "40.0", "30.3", "0", "", "", ""],
        ["mask-tuning", "71.0 ± 1.4", "60.0 ± 0.0", "64.3 ± 0.4", "1,200", "2.5 kB", "3.2 %", "2.0"],
        ["full", "–", "–", "–", "1,200", "2.5 kB", "3.2 %", "2.0"],
      ])
  }

  @Test func aClaimIsTheMeanOfPairsWithItsStandardError() throws {
    let tasks = ["pets", "ucf", "dtd", "sun", "food"]
    // Against zero-shot, 25: +5, +6, +7, +8, +9; the second seed of the first task adds 2 to its mean.
    var runs = try tasks.enumerated().map { try finished($1, "r-amt", 1, Double(30 + $0)) }
    runs.append(try finished("pets", "r-amt", 2, 34))
    runs += try tasks.enumerated().map { try finished($1, "linear", 1, Double(30 + $0 + ($0 % 2 == 0 ? 1 : -1))) }
    let claims = DemoClaim.all(runs)
    #expect(
      claims.map(\.statement) == ["r-amt is better than zero-shot, 16 shots", "r-amt is better than linear, 16 shots"])
    #expect(claims[0].differences == [7, 6, 7, 8, 9])
    // s² = 1.3, √(1.3 / 5) = 0.5099
    #expect(abs(claims[0].difference - 7.4) < 1e-12 && abs(claims[0].standardError - 0.5099) < 1e-4)
    #expect(claims[0].verdict == "holds")
    // Only seed 1 has a pair, and its differences are -1, 1, -1, 1, -1.
    #expect(claims[1].differences == [-1, 1, -1, 1, -1] && claims[1].verdict == "not shown")
    let text = DemoClaim.text(claims)
    #expect(
      text.contains("+7.4 ± 0.5         5 of 5      holds") && text.contains("-0.2 ± 0.5         2 of 5  not shown"))
    // Four tasks are too few for an error bar.
    #expect(DemoClaim.all(runs.filter { $0.cell.task.name != "sun" }).isEmpty)
    let lost = try tasks.flatMap { [try finished($0, "r-amt", 1, 30), try finished($0, "linear", 1, 40)] }
    #expect(DemoClaim.all(lost).last?.verdict == "the reverse")
  }

  @Test func claimsOfNewClassesAndOfTheTransformerReadTheirOwnRuns() throws {
    let tasks = ["pets", "ucf", "dtd", "sun", "food"]
    var runs = try tasks.flatMap { task in
      try [
        finished(task, "mask-tuning", 1, 50, new: (40, 42)), finished(task, "r-amt (λ 1)", 1, 50, new: (41, 42)),
      ]
    }
    let vtab = ["count", "turn", "land", "grade", "shapes"]
    runs += try vtab.flatMap { task in
      try [
        finished(task, "lora", shots: nil, 1, 50, zeroShot: nil),
        finished(task, "spt-lora", shots: nil, 1, 53, zeroShot: nil),
      ]
    }
    let found = DemoClaim.all(runs).map { ($0.statement, ($0.difference * 1000).rounded() / 1000) }
    let expected = [
      ("r-amt (λ 1) is better than mask-tuning, new classes", 1),
      ("r-amt (λ 1) is better than mask-tuning, H", 0.611),
      ("r-amt (λ 1) is better than zero-shot, new classes", -1), ("spt-lora is better than lora, VTAB", 3),
    ]
    #expect(found.map(\.0) == expected.map(\.0) && found.map(\.1) == expected.map(\.1))
  }

  @Test func aDemoIsRepeatedAndGoesOn() async throws {
    let folder = try TemporaryFolder()
    func run(_ name: String, _ more: [String] = []) async throws -> FrugalProcess.Outcome {
      let path = folder.url.appendingPathComponent(name).path
      return try await runFrugal(
        ["demo", "--task", "eurosat", "--method", "task-res", "--seeds", "1", "--out", path] + more)
    }
    let (first, second) = (try await run("a"), try await run("b"))
    #expect(first.code == 0 && second.code == 0, "\(first.errors)")
    #expect(first.output.hasSuffix("/a/report.html\n"))
    func table(_ outcome: FrugalProcess.Outcome) -> [[Substring]] {
      // All but the path, and the seconds, which a clock measures.
      outcome.output.split(separator: "\n").dropLast().map { Array($0.split(separator: " ").dropLast()) }
    }
    #expect(table(first) == table(second) && table(first).count == 4)
    // What is finished is kept: the same table, and nothing is trained.
    let again = try await run("a")
    #expect(again.output == first.output && !again.errors.contains("1/1"))
    // Of a whole demo only these are finished.
    let whole = ["demo", "--finished", "--full", "--out"]
    #expect(try await runFrugal(whole + [folder.path("a")]).output == first.output)
    let nothing = try await runFrugal(whole + [folder.path("nothing")])
    expectRefusal(nothing, code: 1, ["nothing: expected finished runs of this demo, found none"])
    #expect(!folder.exists("nothing"))
    let report = try String(contentsOf: folder.url.appendingPathComponent("a/report.html"), encoding: .utf8)
    #expect(report.contains("task-res") && report.contains("eurosat"))
  }

  @Test func wrongWordsAreRefused() async throws {
    let cases: [([String], String)] = [
      (["--task", "eurosta"], "--task: expected eurosat, pets, count, found \"eurosta\" (did you mean eurosat?)"),
      (["--method", "coop"], "--method: expected linear, task-res, r-amt, lora, spt-lora, found \"coop\""),
      (["--task", "count", "--method", "r-amt"], "expected a method of the task's suite"),
      (["--seeds", "4"], "--seeds: expected a whole number from 1 to 3"), (["now"], "now: expected flags only"),
    ]
    for (words, message) in cases {
      let outcome = try await runFrugal(["demo"] + words)
      #expect(outcome.code == 2 && outcome.errors.contains(message), "\(words): \(outcome.errors)")
    }
  }

  @Test func aPlanIsPrintedAsCommands() async throws {
    let outcome = try await runFrugal("demo", "--plan", "--task", "pets")
    let lines = outcome.output.split(separator: "\n")
    #expect(outcome.code == 0 && lines.count == 6)
    #expect(lines.allSatisfy { $0.hasPrefix("frugal tune --model ") && $0.contains("--template 'a photo of a {}") })
    #expect(!FileManager.default.fileExists(atPath: "runs/demo/world/pets.partial"))
  }
}
