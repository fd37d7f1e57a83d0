import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

/// Methods that tune a classifier without text, through the command.
@Suite struct BackboneTuningTests {
  private static let methods = [
    "spt-lora", "spt-adapter", "lora", "adapter", "bitfit", "layernorm", "linear", "full", "partial-k", "ssf",
    "vpt-shallow", "vpt-deep", "adaptformer", "repadapter", "fact-tt", "fact-tk", "convpass",
    "gps",
  ]

  private static func flags(_ method: String) -> [String] {
    if method.hasPrefix("vpt") { return ["--prompts", "3"] }
    return method.hasPrefix("spt") ? ["--budget", "4000", "--samples", "8"] : []
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
    #expect(run.errors.contains("head of 9 classes not loaded, 4 requested"), "\(run.errors)")
    let delta = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("run/delta.safetensors"))
    #expect(try delta.tensor("head.weight").shape == [4, 64])
  }

  @Test(arguments: [
    "spt-lora", "adapter", "ssf", "vpt-deep", "adaptformer", "repadapter", "fact-tk", "convpass", "gps",
  ])
  func aResumedRunIsTheSameToTheBit(_ method: String) async throws {
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

  /// What was said by hand about a file that does not say it goes with the run and with its delta.
  @Test func headsAndSizeStatedByHandAreRemembered() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    func run(_ name: String, _ more: String...) async throws -> JSONValue {
      let words = TinyBackbone.run("lora", model: model, out: folder.url.appendingPathComponent(name)) + more
      let outcome = try await runFrugal(words)
      try #require(outcome.code == 0, "\(outcome.errors)")
      return try folder.result(name)
    }
    let stated = try await run("stated", "--heads", "4", "--image-size", "24")
    let plain = try await run("plain")
    #expect(stated["test"]["logitsSHA256"] != plain["test"]["logitsSHA256"])
    let settings = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("stated/config.json")))
    #expect(settings["model"]["heads"].int == 4 && settings["model"]["imageSize"].int == 24)
    let delta = folder.path("stated/delta.safetensors")
    let before = try folder.bytes("stated/delta.safetensors")
    #expect(try await runFrugal("tune", "--resume", folder.path("stated")).code == 0)
    #expect(try folder.bytes("stated/delta.safetensors") == before && folder.result("stated") == stated)
    let words = ["evaluate", "--model", model, "--data", Workbench.pictures, "--delta", delta, "--json"]
    #expect(try await runFrugal(words).json()["logitsSHA256"] == stated["test"]["logitsSHA256"])
    // What is said now counts before what was said then.
    let other = try await runFrugal(words + ["--heads", "2"])
    #expect(try other.json()["logitsSHA256"] != stated["test"]["logitsSHA256"])
    let picture = "\(Workbench.pictures)/test/red_circle/00.png"
    #expect(try await runFrugal("predict", "--model", model, "--delta", delta, picture).code == 0)
    let export = try await runFrugal(
      "export", "--model", model, "--delta", delta, "--merged", folder.path("merged.safetensors"))
    #expect(export.code == 0, "\(export.errors)")
  }

  @Test(arguments: [
    (["--heads", "5"], "vit.safetensors: heads: expected a divisor of the width 64, found 5"),
    (["--heads", "0"], "--heads: expected a whole number from 1 to 65536, found \"0\""),
    (["--image-size", "7"], "vit.safetensors: image size: expected at least a patch of 8, found 7"),
    (["--image-size", "big"], "--image-size: expected a whole number from 1 to 65536, found \"big\""),
  ]) func wrongHintsAreRefusedByEveryCommand(_ flags: [String], _ text: String) async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let run = TinyBackbone.run("lora", model: model, out: folder.url.appendingPathComponent("run"))
    let delta = folder.path("delta/delta.safetensors")
    #expect(
      try await runFrugal(
        TinyBackbone.run("lora", model: model, out: folder.url.appendingPathComponent("delta"))
      ).code == 0)
    let picture = "\(Workbench.pictures)/test/red_circle/00.png"
    for words in [
      run, ["sensitivity", "--model", model, "--data", Workbench.pictures, "--out", folder.path("run")],
      ["evaluate", "--model", model, "--data", Workbench.pictures, "--delta", delta],
      ["predict", "--model", model, "--delta", delta, picture],
      ["export", "--model", model, "--delta", delta, "--merged", folder.path("run")], ["inspect", model],
    ] {
      let outcome = try await runFrugal(words + flags)
      #expect(outcome.code != 0 && outcome.errors.contains(text), "\(words[0]): \(outcome.errors)")
      #expect(!folder.exists("run"))
    }
  }

  @Test func hintsAreNotForAModelThatStatesThem() async throws {
    let folder = try TemporaryFolder()
    let words = Workbench.quickRun("lora", out: folder.url.appendingPathComponent("run"))
    expectRefusal(
      try await runFrugal(words + ["--heads", "2"]), code: 1,
      ["heads: expected weights without a statement of them, found config.json: num_attention_heads"])
    expectRefusal(
      try await runFrugal(words + ["--image-size", "64"]), code: 2,
      ["--image-size: expected an image classifier, found a CLIP directory"])
  }

  private static let refusals: [(String, [String], String)] = [
    ("spt-lora", ["--budget", "10"], "--budget: expected above 64, the parameters of the class"),
    ("spt-lora", ["--budget", "1M"], "--budget: expected at most"),
    ("spt-lora", ["--budget", "64", "--allocation", "random"], "--budget: expected above 64, the parameters of"),
    ("spt-lora", ["--budget", "much"], "--budget: expected a number of parameters"),
    ("spt-lora", ["--spt-alpha", "0"], "--spt-alpha: expected a number above 0, at most 1e9, found \"0\""),
    ("spt-adapter", ["--spt-beta", "0"], "--spt-beta: expected a number above 0, at most 1e9, found \"0\""),
    (
      "spt-lora", ["--structured-only", "--unstructured-only"],
      "--structured-only: expected no --unstructured-only with it"
    ),
    (
      "spt-lora", ["--unstructured-only", "--rank", "4"],
      "--rank: expected modules or whole vectors with it, found single entries only"
    ),
    (
      "spt-adapter", ["--unstructured-only", "--spt-beta", "4"],
      "--spt-beta: expected modules or whole vectors with it, found single entries only"
    ),
    (
      "partial-k", ["--last-blocks", "3"],
      "--last-blocks: expected at most 2, as the image tower has 2 blocks, found 3"
    ),
    ("linear", ["--template", "a {}"], "--template: expected a model with a text encoder, found one without"),
    ("lora", ["--tokenizer", "hugging-face"], "--tokenizer: expected a model with a text encoder, found one without"),
    ("lora", ["--truncate"], "--truncate: expected a model with a text encoder, found one without"),
    ("lora", ["--budget", "1000"], "--budget: expected spt-lora, spt-adapter to read it"),
    (
      "linear", ["--rank", "4"],
      "--rank: expected spt-lora, spt-adapter, lora, adapter, adaptformer, repadapter, fact-tt, fact-tk, convpass, "
        + "clip-lora to read it"
    ),
    ("repadapter", ["--rank", "7"], "rank: expected an even number, as the upper map has two groups, found 7"),
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

  /// The head is outside of the budget: one below its 260 parameters is trained, as the published ones are with 397
  /// classes.
  @Test(arguments: ["sensitivity", "random"])
  func aBudgetMayBeBelowTheHead(_ choice: String) async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let words = TinyBackbone.run("spt-lora", model: model, out: folder.url.appendingPathComponent("run"))
    let outcome = try await runFrugal(words + ["--budget", "200", "--allocation", choice, "--rank", "1"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    let result = try folder.result("run")
    #expect(result["budget"].int == 200)
    #expect(result["trainedParameters"].int == 200 + 260 && result["encoderParameters"].int == 200)
    #expect(outcome.output.contains("budget          200, 200 trained besides the head\n"), "\(outcome.output)")
  }

  /// A run that ended, with losses that fell and came back to chance: said again when its result is written.
  @Test func aRunWhoseLossReturnsToChanceSaysSo() async throws {
    let folder = try TemporaryFolder()
    let words = TinyBackbone.run(
      "linear", model: try TinyBackbone.write(to: folder), out: folder.url.appendingPathComponent("run"))
    let plain = try await runFrugal(words)
    #expect(plain.code == 0 && !plain.errors.contains("diverged"), "\(plain.errors)")
    #expect(try folder.result("run")["divergence"].isNull)
    let lines = try folder.metrics("run").indices.map { index in
      String(decoding: try folder.bytes("run/metrics.jsonl"), as: UTF8.self).split(separator: "\n")[index]
        .replacing(/"loss":[-0-9.e]+/, with: "\"loss\":\(index == 0 ? 0.5 : 1.39)")
    }
    try folder.write(lines.joined(separator: "\n") + "\n", to: "run/metrics.jsonl")
    try folder.remove("run/result.json")
    let again = try await runFrugal("tune", "--resume", folder.path("run"))
    #expect(
      again.errors.contains(
        "warning: training diverged: its loss fell to 0.50 and was back at chance, ln(classes) = 1.39, from epoch 2 "
          + "on"),
      "\(again.errors)")
    #expect(again.output.contains("diverged        training diverged"), "\(again.output)")
    #expect(try folder.result("run")["divergence"]["epoch"].int == 2)
  }

  /// A budget that the model refuses is a wrong flag, as any other.
  @Test(arguments: ["10", "1M", "10,4000"]) func aBudgetThatCannotBeIsAWrongFlag(_ budget: String) async throws {
    let folder = try Workbench.picturesCopy()
    try FileManager.default.copyItem(atPath: folder.path("pictures/test"), toPath: folder.path("pictures/val"))
    let model = try TinyBackbone.write(to: folder)
    let words = TinyBackbone.run(
      "spt-lora", model: model, out: folder.url.appendingPathComponent("run"), data: folder.path("pictures"))
    expectRefusal(try await runFrugal(words + ["--budget", budget]), code: 2, ["--budget: expected "])
  }

  /// Half, single and bfloat numbers in one file: each tensor is read by its own type, and `inspect` shows each.
  @Test func typesMayBeMixedInOneFile() async throws {
    let folder = try TemporaryFolder()
    let plain = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: try TinyBackbone.write(to: folder)))
    var writer = SafeTensorsWriter()
    let types: [ElementType] = [.f32, .f16, .bf16]
    for (index, name) in plain.names.enumerated() { writer.add(name, try plain.tensor(name), as: types[index % 3]) }
    let model = folder.url.appendingPathComponent("mixed.safetensors")
    try writer.write(to: model)
    let report = try await runFrugal("inspect", model.path, "--tensors", "--json").json()
    #expect(Set(report["types"].object?.keys.map { $0 } ?? []) == ["F32", "F16", "BF16"])
    for (index, name) in plain.names.enumerated() {
      #expect(report["tensors"][name].string?.hasPrefix("\(types[index % 3].rawValue) ") == true, "\(name)")
    }
    let run = TinyBackbone.run("spt-adapter", model: model.path, out: folder.url.appendingPathComponent("run"))
    let outcome = try await runFrugal(run + ["--budget", "4000"])
    #expect(outcome.code == 0, "\(outcome.errors)")
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
