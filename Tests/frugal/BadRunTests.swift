import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Places for results that cannot be used, and runs that cannot be resumed.
@Suite struct BadRunTests {
  private func run(_ folder: TemporaryFolder, _ name: String, _ method: String = "task-res", _ extra: String...)
    async throws -> FrugalProcess.Outcome
  {
    try await runFrugal(Workbench.quickRun(method, out: folder.url.appendingPathComponent(name)) + extra)
  }

  private func resume(_ folder: TemporaryFolder, _ name: String = "run", _ extra: String...) async throws
    -> FrugalProcess.Outcome
  {
    try await runFrugal(["tune", "--resume", folder.path(name)] + extra)
  }

  @Test func aFileInTheWayIsNamed() async throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", to: "run")
    expectRefusal(
      try await run(folder, "run"), code: 2, ["--out: expected a folder, found the file \(folder.path("run"))"])
    expectRefusal(try await run(folder, "run/below"), code: 2, ["--out: expected a folder that can be written, found"])
    #expect(try folder.bytes("run") == Array("mine".utf8))
    #expect(folder.contents == ["run"])
  }

  @Test func aPlaceThatCannotBeWrittenIsNamed() async throws {
    let words = Workbench.quickRun("task-res", out: URL(fileURLWithPath: "/proc/frugal"))
    expectRefusal(
      try await runFrugal(words), code: 2, ["--out: expected a folder that can be written, found /proc/frugal"])
  }

  @Test(arguments: [
    "config.json", "inputs.jsonl", "metrics.jsonl", "checkpoint.safetensors", "delta.safetensors", "predictions.jsonl",
    "timing.json", "result.json",
  ])
  func aFolderThatHoldsARunIsNotOverwritten(file: String) async throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", to: "run/\(file)")
    let outcome = try await run(folder, "run")
    expectRefusal(
      outcome, code: 2, ["--out: expected a folder without a run, found", "run/\(file) of one that can be resumed"])
    #expect(folder.contents == ["run", "run/\(file)"])
  }

  @Test func aFolderWithoutARunCannotBeResumed() async throws {
    let folder = try TemporaryFolder()
    expectRefusal(try await resume(folder), code: 1, ["run: expected the folder of a run, found no config.json"])
    #expect(folder.contents.isEmpty)
  }

  @Test func checkpointsOfOtherRunsAreRefused() async throws {
    let folder = try TemporaryFolder()
    #expect(try await run(folder, "run").code == 0)
    #expect(try await run(folder, "seed", "task-res", "--seed", "2").code == 0)
    #expect(try await run(folder, "method", "r-amt").code == 0)
    #expect(try await run(folder, "alpha", "task-res", "--alpha", "1").code == 0)
    let delta = try folder.bytes("run/delta.safetensors")
    for other in ["seed", "method", "alpha"] {
      try folder.write(try folder.bytes("\(other)/checkpoint.safetensors"), to: "run/checkpoint.safetensors")
      expectRefusal(
        try await resume(folder), code: 1,
        ["checkpoint.safetensors: expected a checkpoint of the run in config.json", "another model, data or method"])
    }
    // A delta is no checkpoint, half a checkpoint neither.
    try folder.write(delta, to: "run/checkpoint.safetensors")
    expectRefusal(
      try await resume(folder), code: 1, ["checkpoint.safetensors: expected a checkpoint of a run, found none"])
    let bytes = try folder.bytes("alpha/checkpoint.safetensors")
    try folder.write(Array(bytes.prefix(bytes.count - 8)), to: "run/checkpoint.safetensors")
    expectRefusal(try await resume(folder), code: 1, ["checkpoint.safetensors: "])
    #expect(try folder.bytes("run/delta.safetensors") == delta)
  }

  @Test func aRunOfAnotherMethodModelOrDataIsRefused() async throws {
    let (folder, model, data) = (try TemporaryFolder(), try Workbench.modelCopy(), try Workbench.picturesCopy())
    #expect(try await run(folder, "run").code == 0)
    expectRefusal(
      try await resume(folder, "run", "--method", "r-amt"), code: 2,
      ["--method: expected that of the run, task-res, found r-amt"])
    var weights = try model.bytes("model/model.safetensors")
    weights[weights.count - 2] ^= 1
    try model.write(weights, to: "model/model.safetensors")
    expectRefusal(
      try await resume(folder, "run", "--model", model.path("model")), code: 1,
      ["expected the model of the run, SHA-256 ", "found "])
    try data.remove("pictures/train/red_circle/00.png")
    expectRefusal(
      try await resume(folder, "run", "--data", data.path("pictures")), code: 1,
      ["expected the files with which the run began, found others: "])
  }

  /// Settings from a file that no flag could have set; each would stop the program if it were believed.
  @Test(arguments: [
    ("epochs", "0", "recipe.epochs: expected 1 to 1000000, found 0"),
    ("batchSize", "0", "recipe.batchSize: expected 1 to 1000000, found 0"),
    ("smallestCrop", "0", "recipe.smallestCrop: expected above 0, at most 1, found 0.0"),
    // A run of another method: keys of mask tuning are read as what they are, and are incomplete.
    ("lambda", "-1", "expected the settings of a run, found other JSON"),
    ("tunedShare", "2", "expected the settings of a run, found other JSON"),
    ("alpha", "\"large\"", "expected the settings of a run, found other JSON"),
    ("epochs", "\"many\"", "expected the settings of a run, found other JSON"),
  ])
  func hostileSettingsAreRefused(key: String, value: String, text: String) async throws {
    let folder = try TemporaryFolder()
    #expect(try await run(folder, "run").code == 0)
    let json = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    try folder.editJSON("run/config.json") { object in
      var recipe = object["recipe"] as? [String: Any] ?? [:]
      recipe[key] = json
      object["recipe"] = recipe
    }
    expectRefusal(try await resume(folder), code: 1, ["config.json: ", text])
  }

  @Test(arguments: [
    ("shots", "0"), ("seed", "-1"), ("templates", "[]"), ("method", "\"magic\""), ("precision", "\"Half\""),
  ])
  func otherHostileSettingsAreRefused(key: String, value: String) async throws {
    let folder = try TemporaryFolder()
    #expect(try await run(folder, "run").code == 0)
    let json = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    try folder.editJSON("run/config.json") { $0[key] = json }
    expectRefusal(try await resume(folder), code: 1, ["config.json: ", "expected "])
  }

  @Test func aDivergingRunSaysSo() async throws {
    let folder = try TemporaryFolder()
    var words = Workbench.quickRun("task-res", out: folder.url.appendingPathComponent("run"))
    for (flag, value) in [("--epochs", "40"), ("--lr", "1000")] {
      words[try #require(words.firstIndex(of: flag)) + 1] = value
    }
    words += ["--optimizer", "sgd", "--weight-decay", "1000", "--warmup", "none", "--schedule", "constant"]
    expectRefusal(
      try await runFrugal(words), code: 1, ["expected a finite number, found", "a smaller learning rate may help"])
    #expect(!folder.exists("run/delta.safetensors"))
  }
}
