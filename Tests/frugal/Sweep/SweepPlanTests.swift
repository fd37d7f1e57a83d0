import Foundation
import FrugalTestSupport
import Methods
import Testing

@testable import frugal

@Suite struct SweepPlanTests {
  private static let settings = "\"settings\": {\"model\": \"\(Workbench.model)\", \"template\": \"a {}\"}"

  private func plan(_ text: String, in folder: TemporaryFolder) throws -> SweepPlan {
    let file = try folder.write("{\(text)}", to: "plan.json")
    return try SweepPlan(file.path, out: nil)
  }

  @Test func everyMethodMeetsEveryDatasetShotAndSeed() throws {
    let folder = try TemporaryFolder()
    let found = try plan(
      """
      \(Self.settings), "methods": ["linear", {"name": "slow", "method": "lora+task-res", "lr": 1e-4, "rank": 2}],
      "data": ["x/birds/", {"name": "cars", "data": "y", "template": ["a car {}", "cars: {}"]}],
      "shots": [1, "all"], "seeds": [3, 1], "out": "somewhere"
      """, in: folder)
    #expect(found.out.relativePath == "somewhere" && found.cells.count == 16)
    #expect(Set(found.cells.map(\.name)).count == 16)
    #expect(found.cells[0].name == "birds/linear/1-shot/seed-3")
    #expect(found.cells.prefix(8).allSatisfy { $0.seed == 3 } && found.cells.suffix(8).allSatisfy { $0.seed == 1 })
    let last = try #require(found.cells.last)
    #expect(last.name == "cars/slow/all-shot/seed-1")
    #expect(
      last.words == [
        "--model", Workbench.model, "--data", "y", "--method", "lora+task-res", "--shots", "all", "--seed", "1",
        "--out", "somewhere/cars/slow/all-shot/seed-1", "--template", "a car {}", "--template", "cars: {}", "--lr",
        "0.0001", "--rank", "2",
      ])
  }

  @Test func withoutShotsAndSeedsThoseOfTheMethodAndSeedOne() throws {
    let folder = try TemporaryFolder()
    let found = try plan("\(Self.settings), \"methods\": [\"linear\"], \"data\": [\"x\"]", in: folder)
    #expect(found.cells.map(\.name) == ["x/linear/seed-1"] && found.out.relativePath == "runs/plan")
    #expect(!found.cells[0].arguments.has("--shots"))
  }

  @Test(arguments: [
    ("\"methods\": [\"linear\"], \"data\": [\"x\"], \"seed\": [1]", "unknown key \"seed\" (did you mean seeds?)"),
    ("\"methods\": [\"linear\"]", "no data"),
    ("\"methods\": [], \"data\": [\"x\"]", "methods: expected at least one, found none"),
    ("\"methods\": [\"linear\", \"linear\"], \"data\": [\"x\"]", "methods: expected rows with different names"),
    ("\"methods\": [{\"rank\": 2}], \"data\": [\"x\"]", "methods 1: expected a method, found none"),
    (
      "\"methods\": [{\"method\": \"lora\", \"name\": \"a/b\"}], \"data\": [\"x\"]",
      "methods 1: name: expected the name"
    ),
    (
      "\"methods\": [{\"method\": \"lora\", \"name\": \"..\"}], \"data\": [\"x\"]", "methods 1: name: expected the name"
    ),
    ("\"methods\": [\"linear\"], \"data\": [{\"template\": \"a {}\"}]", "data 1: expected data or data-list"),
    (
      "\"methods\": [{\"method\": \"lora\", \"seed\": 2}], \"data\": [\"x\"]",
      "methods 1: seed: expected seeds in a plan"
    ),
    (
      "\"methods\": [{\"method\": \"lora\", \"data\": \"y\"}], \"data\": [\"x\"]",
      "methods 1: data: expected it in rows"
    ),
    (
      "\"methods\": [{\"method\": \"lora\", \"rnak\": 2}], \"data\": [\"x\"]",
      "rnak: unknown flag (did you mean --rank?)"
    ),
    (
      "\"methods\": [{\"method\": \"lora\", \"rank\": true}], \"data\": [\"x\"]", "rank: expected N, found another kind"
    ),
    ("\"methods\": [\"linear\"], \"data\": [\"x\"], \"shots\": [0]", "shots: expected whole numbers from 1"),
    (
      "\"methods\": [\"linear\"], \"data\": [\"x\"], \"shots\": [2, 2]",
      "shots: expected different numbers, found one twice"
    ),
    ("\"methods\": [\"linear\"], \"data\": [\"x\"], \"seeds\": [-1]", "seeds: expected whole numbers from 0"),
    ("\"methods\": [\"linear\"], \"data\": [\"x\"], \"seeds\": [1e3]", ""),
    ("\"methods\": [\"linear\"], \"data\": [\"x\"], \"seeds\": \"1\"", "seeds is of another kind"),
    ("\"methods\": [\"lineaar\"], \"data\": [\"x\"]", "x/lineaar/seed-1: --method: expected"),
    ("\"methods\": [{\"method\": \"linear\", \"rank\": 2}], \"data\": [\"x\"]", "x/linear/seed-1: --rank"),
    ("\"methods\": [{\"method\": \"lora\", \"epochs\": 0}], \"data\": [\"x\"]", "x/lora/seed-1: --epochs: expected"),
  ]) func whatIsNoPlanIsRefused(_ text: String, _ message: String) throws {
    let folder = try TemporaryFolder()
    guard !message.isEmpty else {
      #expect(try plan("\(Self.settings), \(text)", in: folder).cells[0].seed == 1000)
      return
    }
    let error = try #require(throws: (any Error).self) { try plan("\(Self.settings), \(text)", in: folder) }
    #expect("\(error)".contains(message), "\(error)")
    #expect("\(error)".contains("plan.json"), "\(error)")
  }

  @Test func withoutAModelItIsNamedAsMissing() throws {
    let folder = try TemporaryFolder()
    let error = try #require(throws: UsageError.self) {
      try plan("\"methods\": [\"linear\"], \"data\": [\"x\"]", in: folder)
    }
    #expect("\(error)".contains("x/linear/seed-1: --model: missing required flag"), "\(error)")
  }

  @Test func placesInJobArrays() throws {
    func shard(_ text: String? = nil, _ environment: [String: String] = [:]) throws -> SweepShard? {
      try SweepShard.asked(text, environment: environment)
    }
    #expect(try shard() == nil && shard("3/16")?.part(of: Array(0..<40)) == [2, 18, 34])
    let parts = try (1...7).map { try #require(try shard("\($0)/7")).part(of: Array(0..<23)) }
    #expect(parts.flatMap { $0 }.sorted() == Array(0..<23) && parts.allSatisfy { 3...4 ~= $0.count })
    for wrong in ["0/3", "4/3", "1", "1/", "a/b", "1/2/3", "-1/2", "1/0"] {
      #expect(throws: UsageError.self) { try shard(wrong) }
    }
    let slurm = [
      "SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "10",
      "SLURM_ARRAY_TASK_STEP": "3",
    ]
    let task = try #require(try shard(nil, slurm))
    #expect(task.index == 3 && task.count == 4)
    #expect(try shard("1/2", slurm)?.count == 2)
    #expect(throws: UsageError.self) { try shard(nil, ["SLURM_ARRAY_TASK_ID": "7"]) }
    let engine = ["SGE_TASK_ID": "2", "SGE_TASK_FIRST": "2", "SGE_TASK_LAST": "5", "SGE_TASK_STEPSIZE": "1"]
    #expect(try shard(nil, engine)?.count == 4 && shard(nil, engine)?.index == 1)
    #expect(try shard(nil, ["SGE_TASK_ID": "undefined"]) == nil)
    let error = try #require(throws: UsageError.self) { try shard(nil, ["PBS_ARRAY_INDEX": "2"]) }
    #expect("\(error)".contains("$PBS_ARRAY_INDEX/N"))
  }
}
