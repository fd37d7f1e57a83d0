import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

/// A directory with the weights of a CLIP with a ResNet under OpenAI's names, a tokenizer, and no configuration.
@Suite(.golden(.clip, having: "openai-rn-forward")) struct ResNetModelTests {
  private let folder: TemporaryFolder
  private let sizes: Sizes

  init() throws {
    folder = try TemporaryFolder()
    sizes = try Sizes()
    for name in ["vocab.json", "merges.txt"] {
      try folder.write([UInt8](try Data(contentsOf: GoldenSet.clip.url("hf-tiny/\(name)"))), to: "model/\(name)")
    }
    try folder.write(
      [UInt8](try Data(contentsOf: GoldenSet.clip.url("openai-rn.safetensors"))), to: "model/model.safetensors")
  }

  /// The sizes that the index states for the model.
  private struct Sizes {
    let vision: JSONValue
    let text: JSONValue
    /// The bottlenecks of each stage.
    let stages: [Int]
    /// The channels of the stem.
    let width: Int
    let imageSize: Int
    let embedding: Int

    init(in root: GoldenRoot = .ofTheTest) throws {
      let args = try GoldenSet.clip.golden("openai-rn-forward", in: root).args
      (vision, text) = (args["vision"], args["text"])
      (stages, width) = (try #require(args["vision"]["layers"].ints), try #require(args["vision"]["width"].int))
      (imageSize, embedding) = (try #require(args["vision"]["image_size"].int), try #require(args["embed"].int))
      try #require(stages.count == 4 && width > 0 && embedding > 0)
    }
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
    func size(_ name: String) throws -> Int { try #require(sizes.text[name].int, "\(name)") }
    let stages = sizes.stages.map(String.init).joined(separator: ", ")
    let headWidth = try #require(sizes.vision["head_width"].int)
    try #require(headWidth > 0)
    let heads = 32 * sizes.width / headWidth
    for part in [
      "CLIP, one safetensors file",
      "vision: images of \(sizes.imageSize), ResNet of \(stages) bottlenecks, width \(sizes.width), "
        + "attention pool of \(heads) heads",
      "text: context \(try size("context_length")), \(try size("vocab_size")) tokens, \(try size("layers")) blocks, "
        + "width \(try size("width")), \(try size("heads")) heads, MLP \(4 * (try size("width"))), quick_gelu, "
        + "layer norm ε 1e-05",
      "layout: names of OpenAI CLIP with a ResNet",
      "text activation: quick_gelu (assumed: OpenAI's models have it; open_clip_config.json next to it can state",
      "embedding: \(sizes.embedding), logit scale ",
      "shorter side to \(sizes.imageSize), centre crop \(sizes.imageSize), bicubic",
    ] { #expect(outcome.output.contains(part), "\(part)") }
    #expect(outcome.output.contains("warning: text activation: assumed quick_gelu"))
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
    let count: Int = 3 + 3 * sizes.stages.reduce(0, +) + 4 + 4
    #expect(delta.names.count == count)
    for (stage, blocks) in sizes.stages.enumerated() {
      #expect(delta.names.contains("vision.stage\(stage + 1).blocks.\(blocks - 1).convolution3.mask"))
    }
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

  /// Damage to a model of the stated sizes; none where the golden files are absent.
  private static let damages: [Damage] =
    GoldenRoot.all.lazy.compactMap { try? Sizes(in: $0) }.first.map { sizes in
      let (width, pool, embedding) = (sizes.width, 32 * sizes.width, sizes.embedding)
      return [
        Damage(
          tensor: "visual.attnpool.positional_embedding", value: .zeros([7, pool]),
          text: "expected positions of a square of pixels and one more token, found 7"),
        Damage(
          tensor: "visual.attnpool.positional_embedding", value: nil,
          text: "expected a tensor of 2 extents, found no such tensor"),
        Damage(
          tensor: "visual.conv3.weight", value: .zeros([3, width / 2, 3, 3]),
          text: "expected an even number of channels, found 3"),
        Damage(
          tensor: "visual.layer4.0.conv2.weight", value: nil,
          text: "expected shape [\(8 * width), \(8 * width), 3, 3], found no such tensor"),
        Damage(
          tensor: "visual.attnpool.c_proj.weight", value: .zeros([pool, embedding]),
          text: "expected shape [\(embedding), \(pool)], found [\(pool), \(embedding)] (transposed?)"),
        Damage(
          tensor: "visual.bn2.running_var", value: Tensor([width / 2], repeating: -1),
          text: "expected variances of 0 or more, found -1"),
        Damage(tensor: "ln_final.weight", value: .zeros([63]), text: "expected a multiple of 64, the head width"),
        Damage(
          tensor: "visual.layer2.99.conv9.weight", value: .zeros([1]),
          text: "expected shape [\(2 * width), \(8 * width), 1, 1], found no such"),
        Damage(
          tensor: "visual.extra", value: .zeros([1]),
          text: "expected only tensors of the model its configuration describes, found \"visual.extra\""),
      ]
    } ?? []

  @Test(arguments: damages)
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
    let (size, other) = (sizes.imageSize, sizes.imageSize + 2)
    try folder.editJSON("model/preprocessor_config.json") {
      ($0["size"], $0["crop_size"]) = (["shortest_edge": other], ["height": other, "width": other])
    }
    expectRefusal(
      try await runFrugal("inspect", model), code: 1,
      ["preprocessor_config.json: crop_size: expected the image size \(size) of the model, found \(other) × \(other)"])
  }

  /// Names of Hugging Face tell no sizes.
  @Test func withoutOpenAINamesAConfigurationIsNeeded() async throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(Workbench.model)/model.safetensors"))
    try folder.write([UInt8](bytes), to: "model/model.safetensors")
    expectRefusal(
      try await runFrugal("inspect", model), code: 1, ["config.json: expected a readable file, found no such file"])
  }
}
