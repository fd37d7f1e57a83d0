import Checks
import Datasets
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods
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

  @Test func noRunIsAsShortAsItsWarmup() throws {
    for cell in DemoPlan.full.cells + DemoPlan.short.cells {
      let request = try cell.request(in: "demo")
      var recipe = try Run.method(request.method).recipe(
        PublishedSetting(benchmark: nil, shots: cell.shots, fidelity: .official))
      try request.adjust(&recipe)
      #expect(recipe.warmupWarnings(trainsEncoder: true, trainsHead: true) == [], "\(cell.path)")
    }
  }

  @Test func theFullPlanHasBothSuitesAndEveryPart() {
    let cells = DemoPlan.full.cells
    #expect(Set(cells.map(\.task.name)) == Set(MiniatureTask.all.map(\.name)))
    let parts = Set(cells.flatMap { $0.method.name.split(separator: "+").map(String.init) })
    // What the papers are compared with elsewhere is no part of the demo.
    let others = [
      "layernorm", "ssf", "vpt-shallow", "vpt-deep", "adaptformer", "repadapter", "fact-tt", "fact-tk", "convpass",
      "linear-probe", "gda", "tip-adapter", "tip-adapter-f", "clip-adapter", "lp++", "clap", "coop", "cocoop", "prolip",
      "clip-lora", "2sfs", "gps", "so", "partial-k",
    ]
    #expect(parts.union(others) == Set(MethodList.names) && parts.isDisjoint(with: others))
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
      #expect(steps == 1080, "\(cell.task.name)")
    }
  }

  @Test func aTableIsThatOfPapers() throws {
    let runs = try [
      finishedRun("pets", "task-res", 1, 40), finishedRun("pets", "task-res", 2, 44),
      finishedRun("pets", "r-amt", 1, 50),
      finishedRun("ucf", "task-res", 1, 60), finishedRun("pets", "r-amt", shots: 1, 1, 30),
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
    #expect(lines[0].contains("16 shots") && lines[0].contains("(1–2 seeds)"))
    #expect(Set(lines.dropFirst().map(\.count)).count == 1)
    let all = DemoTable.all(runs)
    #expect(all.map { $0.rows.count } == [4, 3] && all[1].title.contains("1 shot,"))
  }

  /// Which figures a demo has just made, and which come with frugal.
  @Test func tasksTrainedNowAreMarkedBesideRecordedOnes() throws {
    let runs = try [1, 2].flatMap { seed in
      try ["pets", "ucf"].map { try finishedRun($0, "task-res", seed, 40) }
    }
    let table = try #require(DemoTable.all(runs, trained: [runs[0].cell.path]).first)
    #expect(table.rows[0].prefix(3) == ["", "pets°", "ucf"])
    #expect(table.notes == ["° trained now: seed 1; all else is recorded"])
    #expect(DemoTable.all(runs)[0].notes == [] && DemoTable.all(runs)[0].rows[0][1] == "pets")
  }

  @Test func theShortDemoFollowsItsRules() {
    let plan = DemoPlan.short
    #expect(plan.tasks.map(\.name) == ["pets", "eurosat", "count", "place-x"])
    let shown = plan.cells.filter(plan.isShown)
    #expect(Set(shown.map(\.seed)) == [1] && shown.map(\.task.name).unique == ["pets", "count"])
    #expect(shown.count == 10 && plan.cells.count == 60)
    #expect(plan.cells.contains { $0.method.label == "r-amt" && $0.shots == 1 && $0.seed == 3 })
  }

  @Test func tasksThatPretrainingHasSeenAndForeignOnesHaveMeansOfTheirOwn() throws {
    let accuracies = ["pets": 60.0, "ucf": 40, "aircraft": 10, "eurosat": 30]
    let tasks = ["pets", "aircraft", "ucf", "eurosat"]
    let runs = try tasks.map { try finishedRun($0, "task-res", 1, accuracies[$0]!) }
    let table = try #require(DemoTable(.eleven, shots: 16, runs))
    #expect(table.rows[0].dropFirst(5).prefix(3) == ["seen", "foreign", "mean"])
    #expect(table.rows[1].dropFirst(5).prefix(3) == ["25.0", "25.0", "25.0"])
    #expect(table.rows[2].dropFirst(5).prefix(3) == ["50.0", "20.0", "35.0"])
    // One task of a group is no mean.
    let few = try #require(DemoTable(.eleven, shots: 16, runs.filter { $0.cell.task.name != "aircraft" }))
    #expect(few.rows[0].dropFirst(4).first == "mean")
  }

  @Test func aTableOfNewClassesIsTheMeanOverTasksOfEverySeed() throws {
    let runs = try [
      finishedRun("pets", "mask-tuning", 1, 60, new: (40, 50)), finishedRun("ucf", "mask-tuning", 1, 80, new: (80, 30)),
      finishedRun("pets", "mask-tuning", 2, 64, new: (40, 50)), finishedRun("ucf", "mask-tuning", 2, 80, new: (80, 30)),
      finishedRun("ucf", "mask-tuning", 3, 99, new: (99, 30)), finishedRun("ucf", "full", 1, 99, new: (99, 30)),
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

  @Test func budgetsAreShownBesideWhatIsTrained() throws {
    func run(_ method: String, _ seed: Int, budget: Int?, _ encoder: Int, diverges: Bool = false) throws
      -> DemoTable.Finished
    {
      try finishedRun(
        "count", method, shots: nil, seed, 40 + Double(seed), zeroShot: nil, budget: budget, encoder: encoder,
        diverges: diverges)
    }
    let runs = try [
      run("lora", 1, budget: nil, 6144), run("spt-lora", 1, budget: 6144, 6144),
      run("spt-lora", 2, budget: 6144, 5503, diverges: true),
    ]
    let table = try #require(DemoTable(.vtab, shots: nil, runs))
    #expect(
      table.rows == [
        ["", "count", "mean", "budget", "besides the head", "trained", "delta", "masked", "seconds"],
        ["lora", "41.0", "41.0", "", "6,144", "1,200", "2.5 kB", "3.2 %", "2.0"],
        // What is trained from the least to the most of both seeds, and said to hold a diverged run.
        ["spt-lora", "41.5 ± 0.7 ‡1", "41.5 ‡1", "6,144", "5,503–6,144", "1,200", "2.5 kB", "3.2 %", "2.0"],
      ])
    #expect(
      table.notes == [
        "‡ spt-lora, count, seed 2, a part of the means: training diverged: its loss fell to 1.66 and was back at "
          + "chance, ln(classes) = 2.08, from epoch 9 on",
        "spt-lora, count, seed 2, budget and trained: not compared: totals 6,144 and 5,503 differ by 11.6 %",
      ])
    #expect(table.text.hasSuffix(table.notes[1]))
  }

  /// The prose of the authors' README: 0.3 at 16 shots but on ImageNet, SUN397 and Food101, 1 elsewhere.
  @Test func rowsWithThePublishedLambdaHaveIt() throws {
    for cell in DemoPlan.full.cells where cell.method.name != "mask-tuning" {
      var recipe = try Run.method(cell.method.name)
        .recipe(PublishedSetting(benchmark: nil, shots: cell.shots, fidelity: .official))
      guard recipe[MaskTuningSettings.self] != nil else { continue }
      try cell.request(in: "demo").adjust(&recipe)
      let isLarge = ["net", "sun", "food"].contains(cell.task.name)
      let wanted = cell.method.label == "r-amt (λ 1)" || cell.shots != 16 || cell.isBase || isLarge ? 1 : 0.3
      #expect(recipe[MaskTuningSettings.self]?.lambda == wanted, "\(cell.path)")
    }
    let eleven = MiniatureTask.all.filter { $0.suite == .eleven }
    #expect(Set(eleven.compactMap(\.likeness)) == Set(Benchmark.allCases))
  }

  @Test func aDemoIsRepeatedAndGoesOn() async throws {
    let folder = try TemporaryFolder()
    func run(_ name: String, _ more: [String] = []) async throws -> FrugalProcess.Outcome {
      let path = folder.url.appendingPathComponent(name).path
      return try await runFrugal(
        ["demo", "--task", "eurosat", "--method", "task-res", "--seeds", "1", "--out", path] + more,
        environment: ["FRUGAL_CACHE": folder.path("cache")])
    }
    // The second finds the features of the first in the cache.
    let (first, second) = (try await run("a"), try await run("b"))
    #expect(first.code == 0 && second.code == 0, "\(first.errors)")
    #expect(first.output.hasSuffix("/a/report.html\n"))
    func table(_ outcome: FrugalProcess.Outcome) -> [[Substring]] {
      // All but the path, and the seconds, which a clock measures.
      outcome.output.split(separator: "\n").dropLast().map { Array($0.split(separator: " ").dropLast()) }
    }
    // The table, and how the run compares with its record, which another precision need not repeat.
    #expect(table(first) == table(second) && table(first).count == 14)
    let isRecorded = first.output.contains("trained here 2 are recorded: every logit is that of the record")
    #expect(isRecorded || GradientCheck.isDouble || !hasFusedMultiplyAdd)
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
      (
        ["--task", "eurosta"],
        "--task: expected pets, eurosat, count, place-x, found \"eurosta\" (did you mean eurosat?)"
      ),
      (["--method", "coop"], "--method: expected linear, task-res, r-amt, lora, spt-lora, random, found \"coop\""),
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
    #expect(outcome.code == 0 && lines.count == 18)
    #expect(lines.allSatisfy { $0.hasPrefix("frugal tune --model ") && $0.contains("--template 'a photo of a {}") })
    #expect(!FileManager.default.fileExists(atPath: "runs/demo/world/pets.partial"))
  }
}
