import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Methods that tune a classifier without text, through the command.
@Suite struct BackboneTuningTests {
  private static let methods = [
    "spt-lora", "spt-adapter", "lora", "adapter", "bitfit", "linear", "full", "partial-k",
  ]

  private static func flags(_ method: String) -> [String] {
    method.hasPrefix("spt") ? ["--budget", "4000", "--samples", "8"] : []
  }

  /// The delta by itself gives the predictions that the run ended with.
  @Test(arguments: methods) func aTunedClassifierIsItsDelta(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let out = folder.url.appendingPathComponent("run")
    let run = try await runFrugal(TinyBackbone.run(method, model: model, out: out) + Self.flags(method))
    #expect(run.code == 0, "\(run.errors)")
    let result = try folder.result("run")
    #expect(result["selection"].string == "last" && result["zeroShot"].isNull)
    let evaluation = try await runFrugal([
      "evaluate", "--model", model, "--data", Workbench.pictures, "--delta", folder.path("run/delta.safetensors"),
      "--json",
    ])
    #expect(evaluation.code == 0, "\(evaluation.errors)")
    let report = try JSONDecoder().decode(JSONValue.self, from: Data(evaluation.output.utf8))
    #expect(report["logitsSHA256"] == result["test"]["logitsSHA256"])
  }

  /// A head of nine classes is left behind where there are four, and the run says so.
  @Test func aHeadOfOtherClassesIsReplacedAndSaidToBe() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let run = try await runFrugal(
      TinyBackbone.run("linear", model: model, out: folder.url.appendingPathComponent("run")))
    #expect(run.errors.contains("head of 9 classes left behind, where 4 are asked for"), "\(run.errors)")
    let delta = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("run/delta.safetensors"))
    #expect(try delta.tensor("head.weight").shape == [4, 64])
  }

  @Test(arguments: ["spt-lora", "adapter"]) func aResumedRunIsTheSameToTheBit(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let words =
      TinyBackbone.run(method, model: model, out: folder.url.appendingPathComponent("whole"))
      + Self.flags(method)
    #expect(try await runFrugal(words).code == 0)
    var parted = words
    parted[parted.count - 1 - Self.flags(method).count] = folder.path("parted")
    let process = try FrugalProcess(parted)
    let checkpoint = folder.path("parted/checkpoint.safetensors")
    process.send(SIGINT) { FileManager.default.fileExists(atPath: checkpoint) }
    let outcome = try await process.outcome()
    if outcome.code != 0 {
      let resumed = try await runFrugal(["tune", "--resume", folder.path("parted")])
      #expect(resumed.code == 0, "\(resumed.errors)")
    }
    #expect(try folder.bytes("whole/delta.safetensors") == folder.bytes("parted/delta.safetensors"))
  }

  /// The official form chooses by the test split itself, and its result is stamped.
  @Test func selectionByTheTestSplitIsStamped() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let out = folder.url.appendingPathComponent("run")
    #expect(try await runFrugal(TinyBackbone.run("linear", model: model, out: out, "--select", "test-max")).code == 0)
    let result = try folder.result("run")
    #expect(result["selection"].string == "test-max")
    #expect(result["reason"].string?.contains("TEST split itself") == true)
    #expect(try folder.metrics("run").allSatisfy { $0["testAccuracy"]?.double != nil })
  }

  private static let refusals: [(String, [String], String)] = [
    ("spt-lora", ["--budget", "200"], "--budget: expected at least 260, the numbers of the head"),
    ("spt-lora", ["--budget", "1M"], "--budget: expected at most"),
    ("spt-lora", ["--budget", "much"], "--budget: expected numbers to train"),
    ("spt-lora", ["--spt-alpha", "0"], "--spt-alpha: expected a number above 0, found 0.0"),
    ("spt-adapter", ["--spt-beta", "0"], "--spt-beta: expected a number above 0, found 0.0"),
    ("spt-lora", ["--structured-only", "--unstructured-only"], "--structured-only: expected one of the two"),
    ("lora", ["--budget", "1000"], "--budget: expected spt-lora or spt-adapter to read it"),
    ("linear", ["--rank", "4"], "--rank: expected a method with branches"),
    ("task-res", [], "expected a model with a text encoder for task-res, found one without"),
  ]

  @Test(arguments: refusals) func whatCannotBeIsRefused(_ method: String, _ flags: [String], _ text: String)
    async throws
  {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let words = TinyBackbone.run(method, model: model, out: folder.url.appendingPathComponent("run")) + flags
    let outcome = try await runFrugal(words)
    #expect(outcome.code != 0 && outcome.errors.contains(text), "\(outcome.errors)")
    #expect(!folder.exists("run"))
  }

  @Test func anUnknownArchitectureListsTheKnown() async throws {
    let folder = try TemporaryFolder()
    var writer = SafeTensorsWriter()
    writer.add("stranger", Tensor.zeros([2]))
    try writer.write(to: folder.url.appendingPathComponent("other.safetensors"))
    let outcome = try await runFrugal(
      TinyBackbone.run("linear", model: folder.path("other.safetensors"), out: folder.url.appendingPathComponent("run"))
    )
    #expect(outcome.code == 1 && outcome.errors.contains("expected the tensors of an image classifier ("))
    #expect(outcome.errors.contains("ViT") && !folder.exists("run"))
  }
}
