import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// `--classes base`: half of the classes are learned, the others met at the end.
///
/// R-AMT (o).
@Suite struct BaseNewTests {
  private func run(_ folder: TemporaryFolder, _ name: String, _ method: String = "r-amt") -> [String] {
    Workbench.quickRun(method, out: folder.url.appendingPathComponent(name)) + ["--classes", "base"]
  }

  @Test func baseIsLearnedAndNewIsMetByItsNames() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal(run(folder, "run"))
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("r-amt, 4 images of 2 classes"), "\(outcome.errors)")
    let config = try JSONDecoder().decode(JSONValue.self, from: Data(folder.bytes("run/config.json")))
    #expect(config["classes"].string == "base")
    #expect(config["data"]["classes"].strings == ["blue triangle", "green square"])
    #expect(config["data"]["newClasses"].strings == ["red circle", "yellow stripes"])
    let result = try folder.result("run")
    #expect(result["test"]["total"].int == 16 && result["newClasses"]["test"]["total"].int == 16)
    let base = try #require(result["test"]["accuracy"].double)
    let new = try #require(result["newClasses"]["test"]["accuracy"].double)
    #expect(abs((result["harmonicMean"].double ?? -1) - (base + new == 0 ? 0 : 2 / (1 / base + 1 / new))) < 1e-9)
    #expect(outcome.output.contains("base accuracy   ") && outcome.output.contains("\nnew accuracy    "))
    #expect(outcome.output.contains("\nharmonic mean   "), "\(outcome.output)")
    // Pictures of new classes have the labels behind those of base ones.
    let lines = try String(decoding: folder.bytes("run/predictions.jsonl"), as: UTF8.self).split(separator: "\n")
    let found = try lines.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
    #expect(found.compactMap { $0["label"].int } == (0..<4).flatMap { Array(repeating: $0, count: 8) })
    #expect(found.suffix(16).allSatisfy { (2...3).contains($0["tuned"]["label"].int ?? 0) })
  }

  /// λ of the authors' runs from base to new classes; what the command line says counts before it.
  @Test(arguments: [([], 1), (["--classes", "all"], 0.3), (["--lambda", "0.5"], 0.5)] as [([String], Double)])
  func lambdaIsThatOfTheAuthorsScript(_ flags: [String], _ lambda: Double) async throws {
    let folder = try TemporaryFolder()
    var words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"))
    words[words.firstIndex(of: "--shots")! + 1] = "all"
    let classes = flags.contains("--classes") ? [] : ["--classes", "base"]
    let outcome = try await runFrugal(words + classes + flags)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let config = try JSONDecoder().decode(JSONValue.self, from: Data(folder.bytes("run/config.json")))
    #expect(config["recipe"]["lambda"].double == lambda)
  }

  @Test func evaluateFindsTheSameNumbers() async throws {
    let folder = try TemporaryFolder()
    #expect(try await runFrugal(run(folder, "run", "lora")).code == 0)
    let result = try folder.result("run")
    func evaluate(_ part: String, _ more: String...) async throws -> JSONValue {
      try await runFrugal(
        ["evaluate", "--model", Workbench.model, "--data", Workbench.pictures, "--classes", part, "--json"] + more
      ).json()
    }
    let delta = folder.path("run/delta.safetensors")
    #expect(try await evaluate("base", "--delta", delta)["logitsSHA256"] == result["test"]["logitsSHA256"])
    let new = result["newClasses"]
    #expect(try await evaluate("new", "--delta", delta)["logitsSHA256"] == new["test"]["logitsSHA256"])
    #expect(try await evaluate("new", "--template", "a {}")["logitsSHA256"] == new["zeroShot"]["logitsSHA256"])
    #expect(new["test"]["logitsSHA256"] != new["zeroShot"]["logitsSHA256"])
  }

  @Test func aKilledRunGoesOnToTheSameBytes() async throws {
    let folder = try TemporaryFolder()
    #expect(try await runFrugal(run(folder, "whole")).code == 0)
    let process = try FrugalProcess(run(folder, "stopped"))
    process.send(SIGKILL) { folder.exists("stopped/checkpoint.safetensors") }
    _ = try await process.outcome()
    let resumed = try await runFrugal("tune", "--resume", folder.path("stopped"))
    #expect(resumed.code == 0, "\(resumed.errors)")
    for file in ["config.json", "delta.safetensors", "predictions.jsonl", "result.json"] {
      #expect(try folder.bytes("whole/\(file)") == folder.bytes("stopped/\(file)"), "\(file)")
    }
  }

  @Test(arguments: [
    ("task-res", "all, as task-res learns only the classes it is trained on"),
    ("r-amt+task-res", "all, as r-amt+task-res learns only the classes it is trained on"),
    ("lora+linear", "all, as lora+linear learns only the classes it is trained on"),
  ])
  func whatIsLearnedOfAClassIsRefused(_ method: String, _ text: String) async throws {
    let folder = try TemporaryFolder()
    expectRefusal(try await runFrugal(run(folder, "run", method)), code: 2, ["--classes: expected \(text), found"])
    #expect(folder.contents.isEmpty)
  }

  /// A context for each class stands around no other name.
  @Test func contextsOfClassesAreRefused() async throws {
    let folder = try TemporaryFolder()
    expectRefusal(
      try await runFrugal(run(folder, "run", "coop") + ["--class-specific"]), code: 2,
      ["--classes: expected all, as coop learns only the classes it is trained on, found"])
    #expect(folder.contents.isEmpty)
  }

  @Test func whatElseCannotBeIsRefused() async throws {
    let folder = try Workbench.picturesCopy()
    let model = try TinyBackbone.write(to: folder)
    let out = folder.url.appendingPathComponent("run")
    expectRefusal(
      try await runFrugal(TinyBackbone.run("lora", model: model, out: out) + ["--classes", "base"]), code: 2,
      ["--classes: expected all, as new classes need a text encoder, found \"base\""])
    expectRefusal(
      try await runFrugal(Workbench.quickRun("r-amt", out: out) + ["--classes", "new"]), code: 2,
      ["--classes: expected all or base"])
    for name in ["red_circle", "yellow_stripes"] { try folder.remove("pictures/test/\(name)") }
    let words = Workbench.quickRun("r-amt", out: out, data: folder.path("pictures")) + ["--classes", "base"]
    expectRefusal(try await runFrugal(words), code: 1, ["pictures: expected test images of new classes, found none"])
    for split in ["train", "test"] {
      for name in ["green_square", "red_circle", "yellow_stripes"] where folder.exists("pictures/\(split)/\(name)") {
        try folder.remove("pictures/\(split)/\(name)")
      }
    }
    expectRefusal(try await runFrugal(words), code: 1, ["expected 2 classes or more to learn the base ones, found 1"])
    #expect(!folder.exists("run"))
  }
}
