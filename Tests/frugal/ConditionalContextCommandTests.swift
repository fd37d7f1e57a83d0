import Foundation
import FrugalTestSupport
import Testing

/// `frugal tune --method cocoop`: base and new classes, resuming, pairs, plans.
@Suite struct ConditionalContextCommandTests {
  /// The words of a run, with other values of some flags.
  private func words(
    _ folder: TemporaryFolder, _ run: String, _ method: String = "cocoop", _ values: [String: String] = [:]
  ) -> [String] {
    var words = Workbench.quickRun(method, out: folder.url.appendingPathComponent(run))
    for (flag, value) in values {
      if let index = words.firstIndex(of: flag) { words[index + 1] = value } else { words += [flag, value] }
    }
    return words
  }

  /// So does CoOp's context, if it is one for all classes, wherever the names stand.
  @Test(
    arguments: [
      ("cocoop", [:]), ("coop", ["--context-position": "middle", "--context-tokens": "4"]),
      ("r-amt+coop", ["--context-init": "a photo of a"]),
    ] as [(String, [String: String])])
  func newClassesAreMetByTheirNames(_ method: String, _ flags: [String: String]) async throws {
    let folder = try TemporaryFolder()
    let values = flags.merging(["--classes": "base", "--lr": "0.1"]) { $1 }
    let run = try await runFrugal(words(folder, "run", method, values))
    try #require(run.code == 0, "\(run.errors)")
    let (result, delta) = (try folder.result("run"), folder.path("run/delta.safetensors"))
    func evaluate(_ part: String, _ more: String...) async throws -> JSONValue {
      let found = try await runFrugal(
        ["evaluate", "--model", Workbench.model, "--data", Workbench.pictures, "--classes", part, "--json"] + more)
      try #require(found.code == 0, "\(found.errors)")
      return try found.json()
    }
    let new = result["newClasses"]
    #expect(try await evaluate("base", "--delta", delta)["logitsSHA256"] == result["test"]["logitsSHA256"])
    #expect(try await evaluate("new", "--delta", delta)["logitsSHA256"] == new["test"]["logitsSHA256"])
    #expect(try await evaluate("new", "--template", "a {}")["logitsSHA256"] == new["zeroShot"]["logitsSHA256"])
    #expect(new["test"]["logitsSHA256"] != new["zeroShot"]["logitsSHA256"])
    #expect(result["harmonicMean"].double != nil)
    let predicted = try await runFrugal(
      "predict", folder.path("run"), "\(Workbench.pictures)/test/red_circle/00.png", "--classes", "a dog,a cat")
    #expect(predicted.code == 0 && predicted.output.contains("a "), "\(predicted.errors)")
  }

  /// A new class whose prompt is too long is found before the first step.
  @Test func newClassesWithLongNamesAreRefusedAtOnce() async throws {
    let folder = try Workbench.picturesCopy()
    let name = Array(repeating: "yellow", count: 34).joined(separator: "_")
    for split in ["train", "test"] {
      try FileManager.default.moveItem(
        atPath: folder.path("pictures/\(split)/yellow_stripes"), toPath: folder.path("pictures/\(split)/\(name)"))
    }
    let run = Workbench.quickRun(
      "cocoop", out: folder.url.appendingPathComponent("run"), data: folder.path("pictures"))
    let outcome = try await runFrugal(run + ["--classes", "base"])
    expectRefusal(outcome, code: 2, ["--context-tokens: expected prompts of at most 32 tokens, found"])
    #expect(!folder.exists("run"))
  }

  @Test(arguments: [[:], ["--crop": "center", "--batch": "1"]] as [[String: String]])
  func aKilledRunGoesOnToTheSameBytes(_ values: [String: String]) async throws {
    let folder = try TemporaryFolder()
    #expect(try await runFrugal(words(folder, "whole", "cocoop", values)).code == 0)
    let process = try FrugalProcess(words(folder, "stopped", "cocoop", values))
    process.send(SIGKILL) { folder.exists("stopped/checkpoint.safetensors") }
    _ = try await process.outcome()
    let resumed = try await runFrugal("tune", "--resume", folder.path("stopped"))
    #expect(resumed.code == 0, "\(resumed.errors)")
    for file in ["config.json", "delta.safetensors", "predictions.jsonl", "result.json"] {
      #expect(try folder.bytes("whole/\(file)") == folder.bytes("stopped/\(file)"), "\(file)")
    }
  }

  /// The encoder is tuned with it, and stays tuned with new classes; two ways of tuning the texts are refused.
  @Test func anEncoderIsTunedWithIt() async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(words(folder, "run", "lora+cocoop") + ["--classes", "base"])
    try #require(run.code == 0, "\(run.errors)")
    let found = try await runFrugal(
      "evaluate", "--model", Workbench.model, "--data", Workbench.pictures, "--classes", "new", "--json", "--delta",
      folder.path("run/delta.safetensors"))
    #expect(
      try found.json()["logitsSHA256"] == folder.result("run")["newClasses"]["test"]["logitsSHA256"], "\(found.errors)")
    expectRefusal(
      try await runFrugal(words(folder, "other", "clip-lora+cocoop")), code: 2,
      ["--method: expected clip-lora alone, as it tunes the text tower"])
  }

  /// A plan knows that classifying an image takes the prompts of all classes, not one product.
  @Test func aPlanCountsThePromptsOfEveryImage() async throws {
    let folder = try TemporaryFolder()
    func flops(_ method: String) async throws -> Double {
      let plan = try await runFrugal(["plan"] + words(folder, "run", method).dropFirst() + ["--json"])
      try #require(plan.code == 0, "\(plan.errors)")
      let parts = try plan.json()["parts"].array ?? []
      return try #require(parts.first { $0["name"].string == "test" }?["flops"].double)
    }
    let (shared, own) = (try await flops("coop"), try await flops("cocoop"))
    #expect(own > 1.2 * shared, "\(shared), \(own)")
  }
}
