import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// A delta on the pretrained model is the tuned model, bit for bit.
@Suite struct DeltaPredictionTests {
  private func evaluate(_ extra: [String], data: String = Workbench.pictures) async throws -> JSONValue {
    let words = ["evaluate", "--model", Workbench.model, "--data", data, "--json"] + extra
    let outcome = try await runFrugal(words)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return try outcome.json()
  }

  private func run(_ method: String, _ extra: [String] = []) async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal(Workbench.quickRun(method, out: folder.url.appendingPathComponent("run")) + extra)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return folder
  }

  @Test(arguments: ["r-amt", "task-res", "r-amt+task-res", "r-mmt", "r-pmt"])
  func aDeltaReproducesThePredictions(method: String) async throws {
    let folder = try await run(method)
    let (result, delta) = (try folder.result("run"), folder.path("run/delta.safetensors"))
    let report = try await evaluate(["--delta", delta])
    for key in ["logitsSHA256", "accuracy", "correct", "total"] {
      #expect(report[key] == result["test"][key], "\(key)")
    }
    #expect(result["deltaBytes"].int == (try folder.bytes("run/delta.safetensors").count))
    #expect(result["zeroShot"]["logitsSHA256"] != result["test"]["logitsSHA256"])
    let single = try await evaluate(["--delta", delta, "--threads", "1"])
    #expect(single["logitsSHA256"] == report["logitsSHA256"])
  }

  /// But for TaskRes as in the released code, which leaves the underscores of class names in the prompts.
  @Test(arguments: [("r-amt", "official", true), ("task-res", "paper", true), ("task-res", "official", false)])
  func zeroShotOfARunIsThatOfEvaluate(method: String, fidelity: String, isSame: Bool) async throws {
    let folder = try await run(method, ["--as", fidelity])
    let (report, result) = (try await evaluate(["--template", "a {}"]), try folder.result("run"))
    #expect((report["logitsSHA256"] == result["zeroShot"]["logitsSHA256"]) == isSame)
  }

  @Test func otherSettingsOfTheTextsAreKeptInTheDelta() async throws {
    let extra = ["--template", "one {} here", "--tokenizer", "hugging-face"]
    let folder = try await run("task-res", extra)
    let report = try await evaluate(["--delta", folder.path("run/delta.safetensors")])
    #expect(report["logitsSHA256"] == (try folder.result("run"))["test"]["logitsSHA256"])
  }

  @Test func theSplitsAreThoseOfTheFolder() async throws {
    #expect(try await evaluate(["--split", "train"])["total"].int == 64)
    let outcome = try await runFrugal(
      "evaluate", "--model", Workbench.model, "--data", Workbench.pictures, "--split", "val")
    expectRefusal(outcome, code: 2, ["--split: expected a split of the data, found val, which is missing"])
  }

  @Test func masksAreBytesThatOtherToolsCanRead() async throws {
    let folder = try await run("r-amt")
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("run/delta.safetensors"))
    let model = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: "\(Workbench.model)/model.safetensors"))
    // Patch embedding, and four maps in each of three blocks of width 64.
    let weights = ["vision.patchEmbedding": 64 * 3 * 8 * 8]
      .merging(
        (0..<3).flatMap { block in
          ["query", "key", "value", "output"].map { ("vision.blocks.\(block).attention.\($0)", 64 * 64) }
        }
      ) { $1 }
    #expect(Set(file.names) == Set(weights.keys.map { "\($0).mask" }))
    var pruned = 0
    for (site, count) in weights {
      let entry = try file.entry("\(site).mask")
      #expect(entry.type == .u8 && entry.shape == [count / 8])
      pruned += try file.bytes("\(site).mask").reduce(0) { $0 + 8 - $1.nonzeroBitCount }
    }
    let total = weights.values.reduce(0, +)
    #expect(try folder.result("run")["shares"]["all"].double == 100 * Double(pruned) / Double(total))
    #expect(model.contains("vision_model.embeddings.patch_embedding.weight"))
    let text = try #require(file.metadata["frugal"])
    let description = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    #expect(description["format"].int == 1)
    #expect(description["method"].string == "r-amt")
    #expect(description["model"].string == model.sha256.description)
    #expect(description["classes"].strings == ["blue triangle", "green square", "red circle", "yellow stripes"])
    #expect(description["templates"].strings == ["a {}"])
  }

  @Test func aMaskDeltaGoesWithOtherClassesAResidualDoesNot() async throws {
    let picture = "\(Workbench.pictures)/test/red_circle/00.png"
    for (method, code) in [("r-amt", Int32(0)), ("task-res", 1)] {
      let folder = try await run(method)
      let outcome = try await runFrugal(
        "predict", "--model", Workbench.model, "--delta", folder.path("run/delta.safetensors"), "--classes",
        "sun, moon",
        picture)
      #expect(outcome.code == code)
      if code == 0 {
        #expect(outcome.errors.contains("the classes are not those the delta was tuned on"))
        #expect(outcome.output.contains("sun ") && outcome.output.contains("moon "))
      } else {
        expectRefusal(outcome, code: 1, ["expected a delta of the 2 classes sun, moon…", "found one of 4: blue"])
      }
    }
  }
}
