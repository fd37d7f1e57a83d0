import Datasets
import Foundation
import FrugalTestSupport
import Methods
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

  @Test func theFullPlanHasBothSuitesAndEveryPart() {
    let cells = DemoPlan.full.cells
    #expect(Set(cells.map(\.task.name)) == Set(MiniatureTask.all.map(\.name)))
    let parts = Set(cells.flatMap { $0.method.name.split(separator: "+").map(String.init) })
    #expect(parts == Set(MethodName.parts))
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

  @Test func aTableIsThatOfPapers() throws {
    func finished(_ task: String, _ method: String, _ seed: Int, _ accuracy: Double) throws -> DemoTable.Finished {
      let cell = try #require(
        DemoPlan.full.cells.first {
          $0.task.name == task && $0.method.label == method && $0.seed == seed && !$0.isBase && $0.shots == 16
        })
      let score = #"{"accuracy": \#(accuracy), "correct": 1, "total": 2, "logitsSHA256": "", "unreadable": 0}"#
      let frozen = #"{"accuracy": 25, "correct": 1, "total": 2, "logitsSHA256": "", "unreadable": 0}"#
      let json = """
        {"method": "x", "epoch": 1, "reason": "", "selection": "last", "test": \(score), "zeroShot": \(frozen),
         "trainedParameters": 1200, "deltaBytes": 2500, "shares": {"all": 3.25}}
        """
      return (cell, try JSONDecoder().decode(RunResult.self, from: Data(json.utf8)), 2)
    }
    let runs = try [
      finished("pets", "task-res", 1, 40), finished("pets", "task-res", 2, 44), finished("pets", "r-amt", 1, 50),
      finished("ucf", "task-res", 1, 60),
    ]
    let table = try #require(DemoTable(.eleven, runs))
    #expect(
      table.rows == [
        ["", "pets", "ucf", "mean", "trained", "delta", "masked", "seconds"],
        ["zero-shot", "25.0", "25.0", "25.0", "0", "", "", ""],
        ["task-res", "42.0 ± 2.8", "60.0", "51.0", "1,200", "2.5 kB", "3.2 %", "2.0"],
        ["r-amt", "50.0", "–", "–", "1,200", "2.5 kB", "3.2 %", "2.0"],
      ])
    #expect(DemoTable(.vtab, runs) == nil)
    let lines = table.text.split(separator: "\n")
    #expect(lines[0].contains("2 seeds") && Set(lines.dropFirst().map(\.count)).count == 1)
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
