import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

/// A directory with the weights of a CLIP with a ResNet under OpenAI's names, a tokenizer, and no configuration.
@Suite(.enabled(if: Fixtures.has("clip"), "golden files of clip are absent: set FRUGAL_FIXTURES"))
struct ResNetModelTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["vocab.json", "merges.txt"] {
      try folder.write(
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Workbench.model)/\(name)"))), to: "model/\(name)")
    }
    try folder.write(
      [UInt8](try Data(contentsOf: Fixtures.url("clip/openai-rn.safetensors"))), to: "model/model.safetensors")
  }

  private var model: String { folder.path("model") }

  private func evaluate(_ extra: String...) async throws -> JSONValue {
    let outcome = try await runFrugal(
      ["evaluate", "--model", model, "--data", Workbench.pictures, "--template", "a {}", "--json"] + extra)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return try outcome.json()
  }

  @Test func inspectSaysWhatItIs() async throws {
    let outcome = try await runFrugal("inspect", model)
    try #require(outcome.code == 0, "\(outcome.errors)")
    for part in [
      "CLIP, one safetensors file",
      "vision: pictures of 64, ResNet of 1, 2, 1, 1 bottlenecks, width 4, attention pool of 2 heads",
      "text: context 32, 584 tokens, 1 blocks, width 64, 1 heads, MLP 256, quick_gelu, layer norm ε 1e-05",
      "layout: names of OpenAI CLIP with a ResNet; no config.json: sizes from the shapes, quick_gelu as OpenAI trained",
      "embedding: 20, logit scale ", "shorter side to 64, centre crop 64, bicubic",
    ] { #expect(outcome.output.contains(part), "\(part)") }
    #expect(!outcome.output.contains("warning"))
    let json = try await runFrugal("inspect", model, "--json").json()
    // Running statistics are no parameters.
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("model/model.safetensors"))
    let count = try file.names.filter { !$0.contains("running_") && !$0.hasSuffix("num_batches_tracked") }
      .reduce(0) { $0 + (try file.entry($1).shape.count) }
    #expect(json["parameters"]["all"].int == count)
  }

  @Test(arguments: ["r-amt", "task-res", "r-pmt+task-res", "mask-tuning", "r-mt"])
  func aTunedModelIsTheRunsOwn(method: String) async throws {
    let run = Workbench.quickRun(method, out: folder.url.appendingPathComponent("run"), model: model)
    let outcome = try await runFrugal(run)
    try #require(outcome.code == 0, "\(outcome.errors)")
    let result = try folder.result("run")
    let tuned = try await evaluate("--delta", folder.path("run/delta.safetensors"))
    let frozen = try await evaluate()
    #expect(tuned["accuracy"].double == result["test"]["accuracy"].double)
    #expect(tuned["logitsSHA256"].string == result["test"]["logitsSHA256"].string)
    #expect(tuned["logitsSHA256"].string != frozen["logitsSHA256"].string)
    let again = Workbench.quickRun(method, out: folder.url.appendingPathComponent("again"), model: model)
    #expect(try await runFrugal(again + ["--threads", "1"]).code == 0)
    #expect(try folder.bytes("run/delta.safetensors") == folder.bytes("again/delta.safetensors"))
  }

  @Test func masksAreOfConvolutionsAndOfTheAttentionPool() async throws {
    let run = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"), model: model)
    #expect(try await runFrugal(run).code == 0)
    let delta = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("run/delta.safetensors"))
    // Three of the stem, three of each bottleneck, four downsamples, four maps of the pool.
    let count: Int = 3 + 3 * 5 + 4 + 4
    #expect(delta.names.count == count)
    #expect(delta.names.contains("vision.stage2.blocks.1.convolution3.mask"))
    #expect(delta.names.contains("vision.attentionPool.output.mask"))
  }

  @Test func aMethodForMLPsFindsNone() async throws {
    let run = Workbench.quickRun("r-mmt", out: folder.url.appendingPathComponent("run"), model: model)
    expectRefusal(
      try await runFrugal(run), code: 2,
      ["--method: expected one that masks weights of this model, whose image tower has no MLP, found r-mmt"])
    #expect(!folder.exists("run"))
  }

  /// A change to the tensors of the file; `nil` takes one away.
  struct Damage: CustomTestStringConvertible, Sendable {
    let tensor: String
    let value: Tensor?
    let text: String
    var testDescription: String { text }
  }

  @Test(arguments: [
    Damage(
      tensor: "visual.attnpool.positional_embedding", value: .zeros([7, 128]),
      text: "expected positions of a square of pixels and of one token more, found 7"),
    Damage(
      tensor: "visual.attnpool.positional_embedding", value: nil,
      text: "expected a tensor of 2 extents, found no such tensor"),
    Damage(
      tensor: "visual.conv3.weight", value: .zeros([3, 2, 3, 3]), text: "expected an even number of channels, found 3"),
    Damage(
      tensor: "visual.layer4.0.conv2.weight", value: nil, text: "expected shape [32, 32, 3, 3], found no such tensor"),
    Damage(
      tensor: "visual.attnpool.c_proj.weight", value: .zeros([128, 20]),
      text: "expected shape [20, 128], found [128, 20] (transposed?)"),
    Damage(
      tensor: "visual.bn2.running_var", value: Tensor([2], repeating: -1),
      text: "expected variances of 0 or more, found -1"),
    Damage(tensor: "ln_final.weight", value: .zeros([63]), text: "expected a multiple of 64, the width of a head"),
    Damage(
      tensor: "visual.layer2.7.conv9.weight", value: .zeros([1]), text: "expected shape [8, 32, 1, 1], found no such"),
    Damage(
      tensor: "visual.extra", value: .zeros([1]),
      text: "expected only tensors of the model its configuration describes, found \"visual.extra\""),
  ])
  func brokenWeightsAreNamed(damage: Damage) async throws {
    let url = folder.url.appendingPathComponent("model/model.safetensors")
    let source = try SafeTensorsFile(contentsOf: url)
    var writer = SafeTensorsWriter()
    for name in source.names where name != damage.tensor && !name.hasSuffix("num_batches_tracked") {
      writer.add(name, try source.tensor(name), as: .f32)
    }
    if let value = damage.value { writer.add(damage.tensor, value, as: .f32) }
    try folder.remove("model/model.safetensors")
    try writer.write(to: url)
    for words in [["inspect", model], ["evaluate", "--model", model, "--data", Workbench.pictures]] {
      expectRefusal(try await runFrugal(words), code: 1, ["model.safetensors: ", damage.text])
    }
  }

  @Test func picturesMustHaveTheSizeOfTheModel() async throws {
    try folder.write(
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Workbench.model)/preprocessor_config.json"))),
      to: "model/preprocessor_config.json")
    expectRefusal(
      try await runFrugal("inspect", model), code: 1,
      ["preprocessor_config.json: crop_size: expected the image size 64 of the model, found 32 × 32"])
  }

  /// Names of Hugging Face tell no sizes.
  @Test func withoutOpenAINamesAConfigurationIsNeeded() async throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(Workbench.model)/model.safetensors"))
    try folder.write([UInt8](bytes), to: "model/model.safetensors")
    expectRefusal(
      try await runFrugal("inspect", model), code: 1, ["config.json: expected a readable file, found no such file"])
  }
}
